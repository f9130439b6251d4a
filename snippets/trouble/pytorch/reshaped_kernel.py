# --8<-- [start:setup]
import keras
import numpy as np
import torch
from torch import nn

torch.manual_seed(0)
images = torch.randn(4, 3, 8, 8)
x = np.moveaxis(images.numpy(), 1, -1)
there = nn.Conv2d(3, 3, 3, groups=3, bias=False).requires_grad_(False)
wanted = np.moveaxis(there(images).numpy(), 1, -1)
here = keras.layers.DepthwiseConv2D(3, use_bias=False)
here.build(x.shape)
# --8<-- [end:setup]

# --8<-- [start:see]
kernel = there.weight.numpy()
print(kernel.shape, "to", here.kernel.shape)
here.set_weights([kernel.reshape(3, 3, 3, 1)])
print("outputs equal:", np.allclose(here(x), wanted, atol=1e-4))
# --8<-- [end:see]

# --8<-- [start:fix]
here.set_weights([kernel.transpose(2, 3, 0, 1)])
# --8<-- [end:fix]

# --8<-- [start:sure]
print("outputs equal:", np.allclose(here(x), wanted, atol=1e-4))

other = nn.Conv2d(3, 5, 3, bias=False).requires_grad_(False)
usual = keras.layers.Conv2D(5, 3, use_bias=False)
usual.build(x.shape)
usual.set_weights([other.weight.numpy().transpose(2, 3, 1, 0)])
wanted = np.moveaxis(other(images).numpy(), 1, -1)
print("Conv2D:       ", np.allclose(usual(x), wanted, atol=1e-4))
# --8<-- [end:sure]
