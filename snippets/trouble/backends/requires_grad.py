# --8<-- [start:see]
import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch

x = torch.arange(32.0).reshape(8, 4)
model = keras.Sequential(
    [keras.Input(shape=(4,)), keras.layers.BatchNormalization()]
)
try:
    np.asarray(model(x, training=False))
except RuntimeError as error:
    print("RuntimeError:", error)
# --8<-- [end:see]

# --8<-- [start:fix]
with torch.no_grad():
    outputs = np.asarray(model(x, training=False))
# --8<-- [end:fix]

# --8<-- [start:sure]
print("records gradients:", model(x, training=False).requires_grad)
with torch.no_grad():
    print("under no_grad():  ", model(x, training=False).requires_grad)
np.testing.assert_array_equal(model.predict(x, verbose=0), outputs)
print("predict gives the same array")
# --8<-- [end:sure]
