# --8<-- [start:setup]
import keras
import numpy as np
import torch
from torch import nn

torch.manual_seed(0)
images = torch.randn(4, 3, 8, 8) - 2  # most values are negative
x = np.moveaxis(images.numpy(), 1, -1)


def judge(name, outputs, wanted):
    outputs, wanted = np.asarray(outputs), np.moveaxis(wanted.numpy(), 1, -1)
    right = np.allclose(outputs, wanted, atol=1e-4)
    shapes = "same shape" if outputs.shape == wanted.shape else "other shape"
    print(f"{name:38} {shapes}, {'right' if right else 'WRONG'}")


# --8<-- [end:setup]

# --8<-- [start:see]
filled, wanted = {}, {}
for stride in [1, 2]:
    there = nn.Conv2d(3, 4, 3, stride, padding=1).requires_grad_(False)
    wanted[stride] = there(images)
    kernel, bias = there.weight.numpy(), there.bias.numpy()
    for padding in ["same", "valid"]:
        here = keras.layers.Conv2D(4, 3, stride, padding)
        here.build((None, None, None, 3))
        here.set_weights([kernel.transpose(2, 3, 1, 0), bias])
        filled[stride, padding] = here
    judge(f"Conv2D, stride {stride}", filled[stride, "same"](x), wanted[stride])

pooled = nn.MaxPool2d(3, 2, padding=1)(images)
pool = keras.layers.MaxPooling2D
judge("MaxPooling2D, stride 2", pool(3, 2, "same")(x), pooled)
# --8<-- [end:see]

# --8<-- [start:fix]
around = keras.layers.ZeroPadding2D(1)
convolved = filled[2, "valid"](around(x))

every = pool(3, 1, "same")(x)
maxima = every[:, ::2, ::2]  # or MaxPooling2D(1, 2), which is a layer
# --8<-- [end:fix]

# --8<-- [start:sure]
judge("Conv2D, ZeroPadding2D(1)", convolved, wanted[2])
judge("MaxPooling2D, stride 1, every 2nd", maxima, pooled)
judge("MaxPooling2D(1, 2) behind it", pool(1, 2)(every), pooled)
judge("MaxPooling2D, ZeroPadding2D(1)", pool(3, 2)(around(x)), pooled)
positive = nn.MaxPool2d(3, 2, padding=1)(images.relu())
x_positive = np.maximum(x, 0)
judge("the same, behind a ReLU", pool(3, 2)(around(x_positive)), positive)
# --8<-- [end:sure]
