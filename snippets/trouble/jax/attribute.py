# --8<-- [start:setup]
import os

os.environ["KERAS_BACKEND"] = "jax"

import jax.numpy as jnp
import keras
import numpy as np


def build():
    norm = keras.layers.BatchNormalization(name="bn")
    return keras.Sequential([keras.Input(shape=(4,)), norm])


def saved(net):
    net.save("net.keras")
    loaded = keras.saving.load_model("net.keras")
    return np.array_equal(loaded.get_layer("bn").moving_mean, mean)


mean = jnp.arange(4.0)  # what a loop of your own has computed
# --8<-- [end:setup]

# --8<-- [start:see]
replaced = build()
replaced.get_layer("bn").moving_mean = mean
print("the layer has it:", replaced.get_layer("bn").moving_mean is mean)
print("it is saved:", saved(replaced))
# --8<-- [end:see]

# --8<-- [start:fix]
assigned = build()
assigned.get_layer("bn").moving_mean.assign(mean)
# --8<-- [end:fix]

# --8<-- [start:sure]
print("it is saved:", saved(assigned))
# --8<-- [end:sure]
