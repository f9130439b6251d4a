# --8<-- [start:setup]
import keras
import numpy as np
import torch
from torch import nn

torch.manual_seed(0)


def port(length, axis):
    signal = torch.randn(16, 4, length) * torch.arange(1.0, 5).reshape(4, 1)
    there = nn.BatchNorm1d(4).requires_grad_(False)
    there(signal)
    there.eval()
    here = keras.layers.BatchNormalization(axis=axis, epsilon=there.eps)
    here.build(signal.shape)
    names = ["weight", "bias", "running_mean", "running_var"]
    here.set_weights([getattr(there, name).numpy() for name in names])
    outputs = here(signal.numpy(), training=False)
    return np.allclose(outputs, there(signal), atol=1e-4)


# --8<-- [end:setup]

# --8<-- [start:see]
try:
    port(length=10, axis=-1)
except ValueError as error:
    print("ValueError:", error)
print("length 4, outputs equal:", port(length=4, axis=-1))
# --8<-- [end:see]

# --8<-- [start:fix]
axis = 1
# --8<-- [end:fix]

# --8<-- [start:sure]
for length in [10, 4]:
    print(f"length {length}, outputs equal:", port(length, axis))
# --8<-- [end:sure]
