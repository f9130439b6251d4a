# --8<-- [start:setup]
import keras
import numpy as np


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(4)
        self.bn = keras.layers.BatchNormalization()

    def call(self, x, training=False):
        return self.bn(self.dense(x), training=training)


x = np.random.normal(5, 3, size=(64, 8)).astype("float32")
model = Net()
model(x, training=True)
for weight in model.weights:
    weight.assign(weight + 1)  # as if it had been trained
model.save_weights("model.weights.h5")
# --8<-- [end:setup]

# --8<-- [start:see]
new = Net()
print("arrays before the first call:", len(new.weights))
try:
    new.load_weights("model.weights.h5")
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:see]

# --8<-- [start:build]
import warnings

marked = Net()
with warnings.catch_warnings(
    record=True, action="always", category=UserWarning
) as caught:
    marked.build((None, 8))
    marked.load_weights("model.weights.h5")
for warning in caught:
    print("UserWarning:", warning.message)
print("arrays after loading:", len(marked.weights))
# --8<-- [end:build]

# --8<-- [start:fix]
new = Net()
new(x[:1], training=False)
print("arrays before loading:", len(new.weights))
new.load_weights("model.weights.h5")
# --8<-- [end:fix]

# --8<-- [start:sure]
marked(x[:1], training=False)
for name, net in {"build()": marked, "called": new}.items():
    equal = sum(map(np.array_equal, model.weights, net.weights))
    print(f"{name:7} built: {net.built}, equal: {equal} of 6 arrays")
# --8<-- [end:sure]
