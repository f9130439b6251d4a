# --8<-- [start:data]
import keras
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(0)

images, labels = load_digits(return_X_y=True)
images = images.reshape(-1, 8, 8, 1).astype("float32") / 16
x_train, x_test, y_train, y_test = train_test_split(
    images, labels, test_size=0.25, stratify=labels, random_state=0
)
print(x_train.shape, x_test.shape)
# --8<-- [end:data]

# --8<-- [start:train]
model = keras.Sequential(
    [
        keras.Input(shape=(8, 8, 1)),
        keras.layers.Conv2D(32, 3, use_bias=False),
        keras.layers.BatchNormalization(name="bn1"),
        keras.layers.ReLU(),
        keras.layers.Conv2D(64, 3, use_bias=False),
        keras.layers.BatchNormalization(name="bn2"),
        keras.layers.ReLU(),
        keras.layers.Flatten(),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(
    optimizer="adam",
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(x_train, y_train, batch_size=32, epochs=12, verbose=0)

loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print("test accuracy is at least 0.97:", accuracy >= 0.97)
# --8<-- [end:train]

# --8<-- [start:save]
model.save("digits.keras")
# --8<-- [end:save]

# --8<-- [start:load]
reloaded = keras.saving.load_model("digits.keras")
# --8<-- [end:load]

# --8<-- [start:prove]
untrained = keras.models.clone_model(model)  # the same layers, as they start
for name in ["bn1", "bn2"]:
    for array in ["gamma", "beta", "moving_mean", "moving_variance"]:
        start, saved, loaded = (
            getattr(net.get_layer(name), array).numpy()
            for net in [untrained, model, reloaded]
        )
        learned = not np.array_equal(saved, start)
        equal = np.array_equal(saved, loaded)
        print(f"{name} {array:16} learned: {learned}  equal: {equal}")

predictions = model.predict(x_test, verbose=0)
np.testing.assert_array_equal(predictions, reloaded.predict(x_test, verbose=0))
np.testing.assert_array_equal(
    model(x_test[:1], training=False), reloaded(x_test[:1], training=False)
)
print("predictions equal, for one image and for all")
# --8<-- [end:prove]

# --8<-- [start:expect]
np.savez(
    "expected.npz", *model.get_weights(), x=x_test, predictions=predictions
)
# --8<-- [end:expect]

# --8<-- [start:reload]
import keras
import numpy as np

loaded = keras.saving.load_model("digits.keras")
expected = np.load("expected.npz")

weights = loaded.get_weights()
for i, array in enumerate(weights):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
np.testing.assert_array_equal(
    loaded.predict(expected["x"], verbose=0), expected["predictions"]
)
print(len(weights), "arrays and", len(expected["x"]), "predictions equal")
# --8<-- [end:reload]

# --8<-- [start:settings]
layer = reloaded.get_layer("bn1")
print("epsilon:", layer.epsilon)
print("momentum:", layer.momentum)
print("axis:", layer.axis)
print("optimizer:", reloaded.optimizer.name)
print("steps taken:", int(reloaded.optimizer.iterations))
# --8<-- [end:settings]

# --8<-- [start:policy]
mixed = keras.Sequential(
    [
        keras.Input(shape=(4,)),
        keras.layers.BatchNormalization(name="bn", dtype="mixed_float16"),
    ]
)
mixed.save("mixed.keras")

again = keras.saving.load_model("mixed.keras").get_layer("bn")
print(again.dtype_policy.name, "with arrays of", again.moving_mean.dtype)
# --8<-- [end:policy]

# --8<-- [start:no_extension]
try:
    model.save("digits")
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:no_extension]

# --8<-- [start:tf_keras_saving]
import tensorflow as tf

try:
    tf.keras.saving.load_model("digits.keras")
except AttributeError as error:
    print("AttributeError:", error)
# --8<-- [end:tf_keras_saving]

# --8<-- [start:frozen]
frozen = keras.saving.load_model("digits.keras")
frozen.trainable = False
frozen.save("frozen.keras")

again = keras.saving.load_model("frozen.keras")
print("model is trainable:", again.trainable)
print(
    "layers that are trainable:", sum(layer.trainable for layer in again.layers)
)
print("arrays that are trainable:", len(again.trainable_variables))
# --8<-- [end:frozen]

# --8<-- [start:few_steps]
keras.utils.set_random_seed(0)
young = keras.models.clone_model(model)
young.compile(
    optimizer=keras.optimizers.Adam(0.003),
    loss="sparse_categorical_crossentropy",
)
young.fit(x_train, y_train, batch_size=64, epochs=1, verbose=0)
young.save("young.keras")
reloaded_young = keras.saving.load_model("young.keras")


def accuracy_of(net, training):
    return np.mean(np.argmax(net(x_test, training=training), axis=1) == y_test)


loaded = accuracy_of(reloaded_young, training=False)
saved = accuracy_of(young, training=False)
on_batch_statistics = accuracy_of(young, training=True)
print("batch statistics score 0.1 more:", on_batch_statistics > saved + 0.1)
print("loading changed the accuracy:", loaded != saved)
# --8<-- [end:few_steps]

# --8<-- [start:share]
for net in [young, model]:
    steps = int(net.optimizer.iterations)
    share = 0.99**steps
    print(f"after {steps:3} steps, {share:.1%} is still the starting value")
# --8<-- [end:share]

# --8<-- [start:train_on]
reloaded.fit(x_train, y_train, batch_size=32, epochs=1, verbose=0)
print("steps taken:", int(reloaded.optimizer.iterations))
# --8<-- [end:train_on]

# --8<-- [start:not_compiled]
bare = keras.saving.load_model("digits.keras", compile=False)
bare.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
print("steps taken:", int(bare.optimizer.iterations))
# --8<-- [end:not_compiled]

# --8<-- [start:fine_tune]
tuned = keras.saving.load_model("digits.keras")
for layer in tuned.layers:
    if isinstance(layer, keras.layers.BatchNormalization):
        layer.trainable = False
tuned.compile(
    optimizer=keras.optimizers.Adam(1e-4),
    loss="sparse_categorical_crossentropy",
)

before = tuned.get_layer("bn1").moving_mean.numpy()
tuned.fit(x_train, y_train, epochs=1, verbose=0)
after = tuned.get_layer("bn1").moving_mean.numpy()
print("moving_mean kept:", np.array_equal(before, after))
# --8<-- [end:fine_tune]

# --8<-- [start:export]
model.export("digits", verbose=False)
served = tf.saved_model.load("digits")

# Exported, the same sums run in another order: the last digits differ.
np.testing.assert_allclose(served.serve(x_test), predictions, atol=1e-5)
print("predictions equal within 1e-5")
# --8<-- [end:export]
