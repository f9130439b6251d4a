# --8<-- [start:copy]
import keras
import numpy as np
import torch
from torch import nn

ARRAYS = ["weight", "bias", "running_mean", "running_var"]


def arrays(module):
    unknown = set(module.state_dict()) - {*ARRAYS, "num_batches_tracked"}
    if unknown:
        raise ValueError(f"no rule for {sorted(unknown)}")
    found = []
    for tensor in (getattr(module, name, None) for name in ARRAYS):
        if tensor is None:
            continue
        if tensor.dtype != torch.float32:
            raise ValueError(f"{tensor.dtype}: call net.float() first")
        # Copies, because JAX would share the memory with PyTorch.
        array = tensor.detach().cpu().numpy().copy()
        if array.ndim > 1 and not isinstance(module, nn.Embedding):
            # A kernel: its two axes of channels go last.
            array = array.transpose(*range(2, array.ndim), 1, 0)
        found.append(array)
    return found


def batchnorm(module, axis=-1, name=None):
    if module.running_mean is None:
        raise ValueError("track_running_stats=False: no statistics to port")
    if module.momentum is None:
        raise ValueError("momentum=None: give it a number")
    return keras.layers.BatchNormalization(
        axis=axis,
        epsilon=module.eps,
        momentum=1 - module.momentum,
        scale=module.affine,
        center=module.affine,
        name=name,
    )


# --8<-- [end:copy]

# --8<-- [start:net]
torch.manual_seed(0)
images = torch.randn(64, 3, 16, 16) * 2 + 1
labels = torch.arange(64) % 5
net = nn.Sequential(
    nn.Conv2d(3, 8, 3, padding=1, bias=False),
    nn.BatchNorm2d(8),
    nn.ReLU(),
    nn.Conv2d(8, 16, 3, stride=2, padding=1),
    nn.BatchNorm2d(16, eps=1e-3, momentum=0.01),
    nn.ReLU(),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(16, 5),
)
for parameter in net.parameters():  # as if it were trained
    if parameter.ndim == 1:
        nn.init.uniform_(parameter, 0.5, 1.5)
for batch in images.split(16):
    net(batch)
# --8<-- [end:net]

# --8<-- [start:port]
net.eval()
model = keras.Sequential(
    [
        keras.Input(shape=(16, 16, 3)),
        keras.layers.ZeroPadding2D(1),
        keras.layers.Conv2D(8, 3, use_bias=False),
        batchnorm(net[1], name="bn1"),
        keras.layers.ReLU(),
        keras.layers.ZeroPadding2D(1),
        keras.layers.Conv2D(16, 3, strides=2),
        batchnorm(net[4], name="bn2"),
        keras.layers.ReLU(),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(5),
    ]
)
modules = [module for module in net if module.state_dict()]
layers = [layer for layer in model.layers if layer.weights]
for module, layer in zip(modules, layers, strict=True):
    layer.set_weights(arrays(module))
# --8<-- [end:port]


# --8<-- [start:compare]
def channels_last(tensor):
    return np.moveaxis(tensor.detach().cpu().numpy(), 1, -1)


with torch.no_grad():
    wanted = net(images).numpy()
outputs = model.predict(channels_last(images), verbose=0)
size = np.abs(wanted).max()
np.testing.assert_allclose(outputs, wanted, atol=1e-4 * size)
print(len(model.weights), "arrays, outputs within 1e-4 of their size")
print("images differ by more than 0.1:", np.ptp(wanted, axis=0).min() > 0.1)
# --8<-- [end:compare]

# --8<-- [start:save]
model.save("ported.keras")
np.savez(
    "expected.npz", *model.get_weights(), x=channels_last(images), y=wanted
)
# --8<-- [end:save]

# --8<-- [start:reload]
import sys

import keras
import numpy as np

loaded = keras.saving.load_model("ported.keras")
record = np.load("expected.npz")

for i, array in enumerate(loaded.get_weights()):
    np.testing.assert_array_equal(array, record[f"arr_{i}"])
predictions = loaded.predict(record["x"], verbose=0)
size = np.abs(record["y"]).max()
np.testing.assert_allclose(predictions, record["y"], atol=1e-4 * size)
print("arrays equal, PyTorch's outputs within 1e-4")

for name in ["bn1", "bn2"]:
    bn = loaded.get_layer(name)
    print(f"{name} epsilon {bn.epsilon:g} momentum {bn.momentum:g}")
print("PyTorch imported:", "torch" in sys.modules)
# --8<-- [end:reload]

# --8<-- [start:train_both]
sgd = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
model.compile(
    optimizer=keras.optimizers.SGD(0.01, momentum=0.9),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
start = list(map(arrays, modules))
net.train()
for x, y in zip(images.split(16), labels.split(16)):
    sgd.zero_grad()
    loss = nn.functional.cross_entropy(net(x), y)
    loss.backward()
    sgd.step()
    there = model.train_on_batch(channels_last(x), y.numpy())
    np.testing.assert_allclose(there, loss.item(), rtol=1e-3)
net.eval()
print("losses of 4 steps within 0.1%")

differs = {}
for module, layer, before in zip(modules, layers, start):
    for w, old, there in zip(layer.weights, before, arrays(module)):
        error = np.abs(w.numpy() - there).max() / np.abs(there - old).max()
        differs[w.name] = max(error, differs.get(w.name, 0))
for name, error in differs.items():
    print(f"{name:16} equal to 1% of what the steps changed: {error < 0.01}")
# --8<-- [end:train_both]

# --8<-- [start:versions]
from importlib.metadata import version

for library in ["torch", "keras", "tensorflow"]:
    print(library, version(library).partition("+")[0])
# --8<-- [end:versions]
