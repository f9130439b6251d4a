# --8<-- [start:see]
import keras
import numpy as np
import torch
from torch import nn

torch.manual_seed(0)
rows = torch.randn(64, 4) + 5


def way(mean):
    share = np.mean(np.asarray(mean) / rows.mean(dim=0).numpy())
    return f"{share:.0%} of the way after one step"


there = nn.BatchNorm1d(4)
there(rows)
print("PyTorch,", there.momentum, " ", way(there.running_mean))

wrong = keras.layers.BatchNormalization(momentum=there.momentum)
wrong(rows.numpy(), training=True)
print("Keras,  ", wrong.momentum, " ", way(wrong.moving_mean))
# --8<-- [end:see]

# --8<-- [start:fix]
right = keras.layers.BatchNormalization(momentum=1 - there.momentum)
# --8<-- [end:fix]

# --8<-- [start:sure]
default = keras.layers.BatchNormalization()
for here in [right, default]:
    here(rows.numpy(), training=True)
    print(f"Keras,   {here.momentum:4}", way(here.moving_mean))
# --8<-- [end:sure]
