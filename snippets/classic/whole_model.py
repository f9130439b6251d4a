# --8<-- [start:example]
import tensorflow as tf
import numpy as np

# Define a simple sequential model
model = tf.keras.models.Sequential(
    [
        tf.keras.Input(shape=(20,)),
        tf.keras.layers.Dense(10, activation="relu"),
        tf.keras.layers.BatchNormalization(),
        tf.keras.layers.Dense(5, activation="softmax"),
    ]
)

# Generate some dummy data for training
x_train = np.random.rand(100, 20)
y_train = np.random.randint(0, 5, size=(100,))
y_train = tf.keras.utils.to_categorical(y_train, num_classes=5)

# Compile and train the model
model.compile(
    optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"]
)
model.fit(x_train, y_train, epochs=5, verbose=0)

# Save the entire model
model.save("my_model_with_bn.keras")

# Load the model
loaded_model = tf.keras.models.load_model("my_model_with_bn.keras")

# Verify that the loaded model produces the same results as the original model
predictions_original = model(x_train[:5], training=False)
predictions_loaded = loaded_model(x_train[:5], training=False)
print(
    "Predictions identical:",
    np.array_equal(predictions_original, predictions_loaded),
)
# --8<-- [end:example]

# --8<-- [start:arrays]
start = {"gamma": 1, "beta": 0, "moving_mean": 0, "moving_variance": 1}
pairs = zip(model.layers[1].weights, loaded_model.layers[1].weights)
for saved, loaded in pairs:
    learned = bool(np.any(saved.numpy() != start[saved.name]))
    equal = np.array_equal(saved, loaded)
    print(f"{saved.name:16} learned: {learned}  equal: {equal}")
# --8<-- [end:arrays]

# --8<-- [start:reload]
import tensorflow as tf

loaded_model = tf.keras.models.load_model("my_model_with_bn.keras")
variance = loaded_model.layers[1].moving_variance
print("moving_variance is still 1:", bool((variance.numpy() == 1).all()))
# --8<-- [end:reload]
