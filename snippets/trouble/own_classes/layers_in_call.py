# --8<-- [start:see]
import keras
import numpy as np

x = np.random.normal(5, 3, size=(64, 8)).astype("float32")


class NewEachCall(keras.layers.Layer):
    def call(self, x, training=None):
        x = keras.layers.Dense(16)(x)
        return keras.layers.BatchNormalization()(x, training=training)


class MadeAtFirstCall(keras.layers.Layer):
    def call(self, x, training=None):
        if not hasattr(self, "bn"):
            self.bn = keras.layers.BatchNormalization()
        return self.bn(x, training=training)


def report(layer):
    try:
        equal = np.array_equal(layer(x), layer(x))
        print(f"{len(layer.weights)} arrays, two calls equal: {equal}")
    except ValueError as error:
        text = str(error)
        message = text[text.index("You cannot") :].partition(" All")[0]
        print("ValueError:", message)


report(NewEachCall())
report(MadeAtFirstCall())
# --8<-- [end:see]

# --8<-- [start:fit]
model = keras.Sequential([NewEachCall(), keras.layers.Dense(3)])
model.compile("sgd", "mse")
try:
    model.fit(x, np.zeros((64, 3)), verbose=0)
except ValueError as error:
    text = str(error)
    text = text[text.index("tf.function only") :]
    print("ValueError:", text.partition(". ")[0])
# --8<-- [end:fit]


# --8<-- [start:fix]
class Block(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(16)
        self.bn = keras.layers.BatchNormalization()

    def call(self, x, training=None):
        return self.bn(self.dense(x), training=training)


# --8<-- [end:fix]

# --8<-- [start:sure]
from bn_tools import batch_norms

report(Block())
for layer in [NewEachCall(), Block()]:
    layers = [keras.Input(shape=(8,)), layer, keras.layers.Dense(3)]
    found = len(batch_norms(keras.Sequential(layers)))
    print(type(layer).__name__, "found:", found)

model = keras.Sequential([Block(), keras.layers.Dense(3)])
model.compile("sgd", "mse")
model.fit(x, np.zeros((64, 3)), verbose=0)
print("after fit:", len(batch_norms(model)))
# --8<-- [end:sure]
