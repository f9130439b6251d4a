# --8<-- [start:setup]
import keras
import numpy as np
import torch
from torch import nn

torch.manual_seed(0)
spread = torch.tensor([0.05, 1, 2, 3])
features = torch.randn(256, 4) * spread + 3
there = nn.BatchNorm1d(4, momentum=1.0).requires_grad_(False)
there(features)
there.eval()
names = ["weight", "bias", "running_mean", "running_var"]
arrays = [getattr(there, name).numpy() for name in names]


def off(**settings):
    here = keras.layers.BatchNormalization(**settings)
    here.build((None, 4))
    here.set_weights(arrays)
    outputs = np.asarray(here(features.numpy(), training=False))
    return np.abs(outputs - there(features).numpy()).max(axis=0) > 0.01


# --8<-- [end:setup]

# --8<-- [start:see]
here = keras.layers.BatchNormalization()
print("PyTorch:", there.eps, "Keras:", here.epsilon)
print("features that are off:", off())
# --8<-- [end:see]

# --8<-- [start:fix]
settings = {"epsilon": there.eps, "momentum": 1 - there.momentum}
# --8<-- [end:fix]

# --8<-- [start:sure]
print("features that are off:", off(**settings))
# --8<-- [end:sure]
