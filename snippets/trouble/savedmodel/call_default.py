# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

x = np.random.normal(5, 3, size=(256, 8)).astype("float32")


def equal_to_predict(model):
    model(x, training=True)
    model.export("exported", verbose=False)
    served = tf.saved_model.load("exported")
    expected = model.predict(x, verbose=0)
    return np.allclose(served.serve(x), expected, rtol=1e-5, atol=1e-5)


# --8<-- [end:setup]


# --8<-- [start:see]
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.bn = keras.layers.BatchNormalization()

    def call(self, x, training=True):
        return self.bn(x, training=training)


print("training=True   equal to predict:", equal_to_predict(Net()))
# --8<-- [end:see]


# --8<-- [start:fix]
class Mended(Net):
    def call(self, x, training=False):
        return self.bn(x, training=training)


class Unset(Net):
    def call(self, x, training=None):
        return self.bn(x, training=training)


print("training=False  equal to predict:", equal_to_predict(Mended()))
print("training=None   equal to predict:", equal_to_predict(Unset()))
# --8<-- [end:fix]

# --8<-- [start:sure]
import inspect

for cls in [Net, Mended, Unset]:
    default = inspect.signature(cls.call).parameters["training"].default
    print(f"{cls.__name__:6} is exported in training mode: {default is True}")
# --8<-- [end:sure]
