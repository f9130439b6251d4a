# --8<-- [start:example]
import tensorflow as tf
import numpy as np


# Define a model similar to the first example
class MyCheckpointModel(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.dense1 = tf.keras.layers.Dense(10, activation="relu")
        self.bn = tf.keras.layers.BatchNormalization()
        self.dense2 = tf.keras.layers.Dense(5, activation="softmax")

    def call(self, x, training=False):
        x = self.dense1(x)
        x = self.bn(x, training=training)
        x = self.dense2(x)
        return x


# Initialize model and some dummy data
model = MyCheckpointModel()
x_train = np.random.rand(100, 20).astype(np.float32)
y_train = np.random.randint(0, 5, size=(100,)).astype(np.int64)
y_train = tf.keras.utils.to_categorical(y_train, num_classes=5)

# Compile and train (basic fitting)
model.compile(
    optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"]
)
model.fit(x_train, y_train, epochs=5, verbose=0)

# Save using the checkpoint method; the moving statistics go along
checkpoint = tf.train.Checkpoint(model=model)
path = checkpoint.save("./my_checkpoint")

# Restore the model from checkpoint
restored_model = MyCheckpointModel()
restored_model(x_train[:1])  # now it has arrays to restore into
restored_checkpoint = tf.train.Checkpoint(model=restored_model)
restored_checkpoint.restore(path).assert_existing_objects_matched()

# Check if predictions match (inference mode)
original_predictions = model(x_train[:5], training=False)
restored_predictions = restored_model(x_train[:5], training=False)
print(
    "Checkpoint predictions identical:",
    np.array_equal(original_predictions, restored_predictions),
)
# --8<-- [end:example]

# --8<-- [start:arrays]
for saved, restored in zip(model.bn.weights, restored_model.bn.weights):
    print(f"{saved.name:16} equal: {np.array_equal(saved, restored)}")
# --8<-- [end:arrays]

# --8<-- [start:steps]
steps = int(model.optimizer.iterations.numpy())
print(f"steps: {steps}, of which the statistics have learned", end=" ")
print(f"{1 - model.bn.momentum**steps:.0%}")
# --8<-- [end:steps]
