# --8<-- [start:see]
import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
from bn_tools import broken

keras.utils.set_random_seed(0)
# Air pressure in pascals.
x = np.random.normal(101_325, 20, size=(512, 4)).astype("float32")


def model(*first):
    bn = keras.layers.BatchNormalization(momentum=0.0, name="bn")
    return keras.Sequential([keras.Input(shape=(4,)), *first, bn])


def report(net):
    net(x, training=True)
    outputs = net.predict(x, verbose=0)
    print("sound statistics:", not broken(net), end="  ")
    print("NaN predictions:", np.isnan(outputs).any())


plain = model()
report(plain)
# --8<-- [end:see]

# --8<-- [start:fix]
shifted = model(keras.layers.Rescaling(1.0, offset=-101_325.0))
report(shifted)
# --8<-- [end:fix]

# --8<-- [start:sure]
deviations = np.abs(x.mean(axis=0)) / x.std(axis=0)
print("mean below 100 deviations:", np.all(deviations < 100))
# --8<-- [end:sure]
