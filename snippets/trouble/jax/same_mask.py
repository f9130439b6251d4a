# --8<-- [start:setup]
import os

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np

x = np.random.default_rng(0).normal(5, 3, (64, 8)).astype("float32")
norm = keras.layers.BatchNormalization()
dropout = keras.layers.Dropout(0.5)
model = keras.Sequential([keras.Input(shape=(8,)), norm, dropout])
trainable = [v.value for v in model.trainable_variables]
values = [v.value for v in model.non_trainable_variables]


def mask(values):
    outputs, new = model.stateless_call(trainable, values, x, training=True)
    return np.array(outputs == 0), new


# --8<-- [end:setup]

# --8<-- [start:see]
first, new = mask(values)
second, _ = mask(values)
print("the same mask:", np.array_equal(first, second))
# --8<-- [end:see]

# --8<-- [start:why]
for variable, before, after in zip(model.non_trainable_variables, values, new):
    print(f"{variable.name:20} changed: {not np.array_equal(before, after)}")
# --8<-- [end:why]

# --8<-- [start:fix]
values = new  # in each step, before the next one
# --8<-- [end:fix]

# --8<-- [start:sure]
second, values = mask(values)
print("the same mask:", np.array_equal(first, second))
# --8<-- [end:sure]
