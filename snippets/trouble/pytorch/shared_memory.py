# --8<-- [start:see]
import os

os.environ["KERAS_BACKEND"] = "jax"

import keras
import torch

source = torch.nn.BatchNorm1d(8)
target = keras.layers.BatchNormalization()
target.build((None, 8))
target.moving_mean.assign(source.running_mean.numpy())

source(torch.ones(4, 8))  # one more call in training mode
print("moving_mean kept:", not target.moving_mean.numpy().any())
# --8<-- [end:see]

# --8<-- [start:fix]
source = torch.nn.BatchNorm1d(8)
target.moving_mean.assign(source.running_mean.numpy().copy())
# --8<-- [end:fix]

# --8<-- [start:sure]
source(torch.ones(4, 8))
print("moving_mean kept:", not target.moving_mean.numpy().any())
# --8<-- [end:sure]
