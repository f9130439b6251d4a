# --8<-- [start:setup]
import keras
import numpy as np
import torch
from torch import nn

there = nn.BatchNorm1d(4).requires_grad_(False)
there(torch.arange(32.0).reshape(8, 4))
here = keras.layers.BatchNormalization(epsilon=there.eps)
here.build((None, 4))
# --8<-- [end:setup]

# --8<-- [start:see]
print(list(there.state_dict()))
try:
    here.set_weights([array.numpy() for array in there.state_dict().values()])
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:see]

# --8<-- [start:see_two]
print([name for name, _ in there.named_parameters()])
try:
    here.set_weights([array.numpy() for array in there.parameters()])
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:see_two]

# --8<-- [start:fix]
names = ["weight", "bias", "running_mean", "running_var"]
here.set_weights([getattr(there, name).numpy() for name in names])
# --8<-- [end:fix]

# --8<-- [start:sure]
x = torch.ones(2, 4)
outputs = here(x.numpy(), training=False)
np.testing.assert_allclose(outputs, there.eval()(x), atol=1e-4)
print("4 arrays set, outputs within 1e-4")

there = nn.BatchNorm1d(4, affine=False)
here = keras.layers.BatchNormalization(scale=False, center=False)
here.build((None, 4))
here.set_weights([there.running_mean.numpy(), there.running_var.numpy()])
print(len(here.weights), "arrays set, with affine=False")
# --8<-- [end:sure]
