# --8<-- [start:example]
import tensorflow as tf
import numpy as np


# Define a simple model with a custom training loop
class MyModel(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.dense1 = tf.keras.layers.Dense(10, activation="relu")
        self.bn = tf.keras.layers.BatchNormalization()
        self.dense2 = tf.keras.layers.Dense(5, activation="softmax")

    def call(self, x, training=False):
        x = self.dense1(x)
        x = self.bn(x, training=training)  # Explicit training flag
        x = self.dense2(x)
        return x


# Initialize and compile
model = MyModel()
optimizer = tf.keras.optimizers.Adam()
loss_fn = tf.keras.losses.CategoricalCrossentropy()

# Generate dummy data
x_train = np.random.rand(100, 20).astype(np.float32)
y_train = np.random.randint(0, 5, size=(100,)).astype(np.int64)
y_train = tf.keras.utils.to_categorical(y_train, num_classes=5)


# Train step with explicit training=True
@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        y_pred = model(x, training=True)
        loss = loss_fn(y, y_pred)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


# Training loop with explicit training mode
for epoch in range(5):
    for i in range(10):
        rows = slice(i * 10, (i + 1) * 10)
        loss = train_step(x_train[rows], y_train[rows])

# Save using checkpoint approach
checkpoint = tf.train.Checkpoint(model=model)
path = checkpoint.save("./custom_model_checkpoint")

# Load model and its parameters
loaded_model = MyModel()
loaded_model(x_train[:1])  # now it has arrays to restore into
loaded_checkpoint = tf.train.Checkpoint(model=loaded_model)
loaded_checkpoint.restore(path).assert_existing_objects_matched()

# Verify that inference mode works with proper Batchnorm behavior
predictions_original = model(x_train[:5], training=False)
predictions_loaded = loaded_model(x_train[:5], training=False)
print(
    "Inference predictions identical:",
    np.array_equal(predictions_original, predictions_loaded),
)
# --8<-- [end:example]

# --8<-- [start:folder]
print(tf.train.latest_checkpoint("./custom_model_checkpoint"))
print(tf.train.latest_checkpoint(".") == path)
# --8<-- [end:folder]

# --8<-- [start:optimizer]
keys = [key for key, shape in tf.train.list_variables(path)]
print("arrays of the optimizer:", sum("optimizer" in key for key in keys))

checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer)
path = checkpoint.save("./with_optimizer")
keys = [key for key, shape in tf.train.list_variables(path)]
print("arrays of the optimizer:", sum("optimizer" in key for key in keys))
# --8<-- [end:optimizer]
