# --8<-- [start:see]
import os

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
import numpy as np

x = np.ones((8, 4), "float32")
net = keras.Sequential(
    [keras.Input(shape=(4,)), keras.layers.BatchNormalization()]
)
forward = jax.jit(net.stateless_call)
try:
    forward(net.trainable_variables, net.non_trainable_variables, x)
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:see]

# --8<-- [start:fix]
trainable = [v.value for v in net.trainable_variables]
non_trainable = [v.value for v in net.non_trainable_variables]
# --8<-- [end:fix]

# --8<-- [start:sure]
outputs, _ = forward(trainable, non_trainable, x)
np.testing.assert_allclose(outputs, net(x), atol=1e-5)
print("called with arrays, outputs as those of the model")
# --8<-- [end:sure]
