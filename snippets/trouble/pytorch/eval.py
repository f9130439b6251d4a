# --8<-- [start:setup]
import keras
import numpy as np
import torch
from torch import nn

torch.manual_seed(0)
rows = torch.randn(8, 4) * 3 + 5
there = nn.BatchNorm1d(4)
there(torch.randn(256, 4) * 2 + 3)
here = keras.layers.BatchNormalization(epsilon=there.eps)
here.build((None, 4))
names = ["weight", "bias", "running_mean", "running_var"]
arrays = [getattr(there, name).detach().numpy().copy() for name in names]
here.set_weights(arrays)


def compare():
    outputs = here(rows.numpy(), training=False)
    wanted = there(rows).detach().numpy()
    print("outputs equal:", np.allclose(outputs, wanted, atol=1e-4))


# --8<-- [end:setup]

# --8<-- [start:see]
print("training mode:", there.training)
compare()
there.eval()
compare()
# --8<-- [end:see]

# --8<-- [start:fix]
there.eval()  # first, then take the arrays
arrays = [getattr(there, name).detach().numpy().copy() for name in names]
here.set_weights(arrays)
# --8<-- [end:fix]

# --8<-- [start:sure]
before = there.running_mean.clone()
compare()
print("statistics kept:", torch.equal(before, there.running_mean))
# --8<-- [end:sure]
