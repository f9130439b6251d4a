# --8<-- [start:setup]
import keras
import numpy as np
import torch
from torch import nn

torch.manual_seed(0)
images = torch.randn(4, 3, 8, 8)
net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 5))
wanted = net(images).detach().numpy()
x = np.moveaxis(images.numpy(), 1, -1)


def build(*first):
    dense = keras.layers.Dense(5)
    layers = [keras.Input(x.shape[1:]), *first, keras.layers.Flatten(), dense]
    model = keras.Sequential(layers)
    weight, bias = (tensor.detach().numpy() for tensor in net.parameters())
    dense.set_weights([weight.T, bias])
    return model


# --8<-- [end:setup]

# --8<-- [start:see]
wrong = build()
print("outputs equal:", np.allclose(wrong(x), wanted, atol=1e-4))
# --8<-- [end:see]

# --8<-- [start:fix]
right = build(keras.layers.Permute((3, 1, 2)))
# --8<-- [end:fix]

# --8<-- [start:sure]
print("outputs equal:", np.allclose(right(x), wanted, atol=1e-4))
# --8<-- [end:sure]
