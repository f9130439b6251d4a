# --8<-- [start:versions]
from importlib.metadata import version

for library in ["torch", "keras", "tensorflow", "jax"]:
    print(library, version(library).partition("+")[0])
# --8<-- [end:versions]

# --8<-- [start:module]
import keras
import numpy as np
import torch

torch.manual_seed(0)
x = torch.randn(256, 8) * torch.linspace(0.05, 3, 8) + torch.linspace(1, 5, 8)

module = torch.nn.BatchNorm1d(8)
torch.nn.init.uniform_(module.weight, 0.5, 1.5)  # as if gradients had been here
torch.nn.init.uniform_(module.bias, -1, 1)
for _ in range(25):
    for batch in x.split(64):
        module(batch)

module.eval()
with torch.no_grad():
    expected = module(x).numpy()
# --8<-- [end:module]


# --8<-- [start:port]
def batchnorm(module, axis=-1):
    return keras.layers.BatchNormalization(
        axis=axis,
        epsilon=module.eps,
        momentum=0.9 if module.momentum is None else 1 - module.momentum,
        scale=module.weight is not None,
        center=module.bias is not None,
    )


def arrays(module):
    found = [
        module.weight,
        module.bias,
        module.running_mean,
        module.running_var,
    ]
    # Copies, because JAX would share the memory with PyTorch.
    return [a.detach().numpy().copy() for a in found if a is not None]


layer = batchnorm(module)
layer.build((None, 8))
layer.set_weights(arrays(module))
# --8<-- [end:port]

# --8<-- [start:prove]
untrained = keras.layers.BatchNormalization()
untrained.build((None, 8))
names = {
    "gamma": module.weight,
    "beta": module.bias,
    "moving_mean": module.running_mean,
    "moving_variance": module.running_var,
}
for name, tensor in names.items():
    start = getattr(untrained, name).numpy()
    array = getattr(layer, name).numpy()
    learned = not np.array_equal(array, start)
    equal = np.array_equal(array, tensor.detach())
    print(f"{name:16} learned: {learned}  equal: {equal}")

outputs = layer(x.numpy(), training=False)
np.testing.assert_allclose(outputs, expected, atol=1e-5)
print("outputs within 1e-5")
# --8<-- [end:prove]

# --8<-- [start:counts]
module32 = torch.nn.BatchNorm2d(32)
layer32 = keras.layers.BatchNormalization()
layer32.build((None, 32))
print("PyTorch parameters:", sum(p.numel() for p in module32.parameters()))
print("PyTorch buffers:   ", sum(b.numel() for b in module32.buffers()))
print("Keras parameters:  ", layer32.count_params())
print("Keras trainable:   ", sum(map(np.size, layer32.trainable_variables)))
# --8<-- [end:counts]

# --8<-- [start:training_step]
rows = x[:8]
there = torch.nn.BatchNorm1d(8)
here = batchnorm(there)

with torch.no_grad():
    normalized = there(rows).numpy()
np.testing.assert_allclose(
    here(rows.numpy(), training=True), normalized, atol=1e-5
)
print("outputs in training mode within 1e-5")

mean, variance = there.running_mean.numpy(), there.running_var.numpy()
np.testing.assert_allclose(here.moving_mean, mean, rtol=1e-5)
print("means within 1e-5")

# Both keep 0.9 of the starting value 1, so the rest is what the step added.
ratio = (variance - 0.9) / (here.moving_variance.numpy() - 0.9)
print("PyTorch added more by 8/7:", np.allclose(ratio, 8 / 7, rtol=1e-3))
# --8<-- [end:training_step]

# --8<-- [start:momentum]
way = {}
there = torch.nn.BatchNorm1d(8, momentum=0.1)
there(x)
way["PyTorch, 0.1"] = there.running_mean.numpy()
for momentum in [0.9, 0.1, 0.99, 1.0]:
    here = keras.layers.BatchNormalization(momentum=momentum)
    here(x.numpy(), training=True)
    way[f"Keras, {momentum}"] = here.moving_mean.numpy()

for name, mean in way.items():
    share = np.mean(mean / x.mean(dim=0).numpy())
    print(f"{name:13} {share:4.0%} of the way after one step")
# --8<-- [end:momentum]

# --8<-- [start:cumulative]
there = torch.nn.BatchNorm1d(8, momentum=None)
for batch in x.split(64):
    there(batch)
np.testing.assert_allclose(there.running_mean, x.mean(dim=0), rtol=1e-5)
print("the mean of all batches, after", int(there.num_batches_tracked))
# --8<-- [end:cumulative]

# --8<-- [start:channels]
images = torch.randn(16, 3, 8, 8) * 2 + 5
first = torch.nn.BatchNorm2d(3)
first(images)
first.eval()
with torch.no_grad():
    wanted = first(images).numpy()

kept = batchnorm(first, axis=1)
kept.build((None, 3, 8, 8))
kept.set_weights(arrays(first))
outputs = kept(images.numpy(), training=False)
np.testing.assert_allclose(outputs, wanted, atol=1e-5)
print("channels first, axis=1: within 1e-5")

moved = batchnorm(first)
moved.build((None, 8, 8, 3))
moved.set_weights(arrays(first))
outputs = moved(images.permute(0, 2, 3, 1).numpy(), training=False)
np.testing.assert_allclose(
    np.transpose(outputs, (0, 3, 1, 2)), wanted, atol=1e-5
)
print("channels last, axis=-1: within 1e-5")
# --8<-- [end:channels]

# --8<-- [start:wrong_axis]
signal = torch.randn(16, 4, 10) * 2 + 5
by_channel = torch.nn.BatchNorm1d(4)
by_channel(signal)

wrong = batchnorm(by_channel)
wrong.build((None, 4, 10))
try:
    wrong.set_weights(arrays(by_channel))
except ValueError as error:
    print("ValueError:", str(error).partition("weight ")[2])
# --8<-- [end:wrong_axis]

# --8<-- [start:right_axis]
by_channel.eval()
with torch.no_grad():
    wanted = by_channel(signal).numpy()

right = batchnorm(by_channel, axis=1)
right.build((None, 4, 10))
right.set_weights(arrays(by_channel))
outputs = right(signal.numpy(), training=False)
np.testing.assert_allclose(outputs, wanted, atol=1e-5)
print("within 1e-5")
# --8<-- [end:right_axis]

# --8<-- [start:net]
net = torch.nn.Sequential(
    torch.nn.Conv2d(3, 8, 3, bias=False),
    torch.nn.BatchNorm2d(8),
    torch.nn.ReLU(),
    torch.nn.Flatten(),
    torch.nn.Linear(8 * 6 * 6, 5),
)
for _ in range(20):
    net(images)
net.eval()
# --8<-- [end:net]

# --8<-- [start:port_net]
conv, bn, _, _, linear = net
ported = keras.Sequential(
    [
        keras.Input(shape=(8, 8, 3)),
        keras.layers.Conv2D(8, 3, use_bias=False),
        batchnorm(bn),
        keras.layers.ReLU(),
        keras.layers.Flatten(),
        keras.layers.Dense(5),
    ]
)


def to_numpy(tensor):
    return tensor.detach().numpy().copy()


kernel = conv.weight.permute(2, 3, 1, 0)  # OIHW to HWIO
# Channels move within each flattened row, too.
dense = linear.weight.reshape(5, 8, 6, 6).permute(2, 3, 1, 0).reshape(-1, 5)
ported.set_weights(
    [to_numpy(kernel), *arrays(bn), to_numpy(dense), to_numpy(linear.bias)]
)

x_last = images.permute(0, 2, 3, 1).numpy()
with torch.no_grad():
    predictions = net(images).numpy()
np.testing.assert_allclose(
    ported(x_last, training=False), predictions, atol=1e-5
)
print("outputs within 1e-5")
# --8<-- [end:port_net]

# --8<-- [start:save]
ported.save("ported.keras")
np.savez(
    "expected.npz",
    x=x_last,
    predictions=predictions,
    moving_mean=bn.running_mean,
    moving_variance=bn.running_var,
)
# --8<-- [end:save]

# --8<-- [start:reload]
import sys

import keras
import numpy as np

loaded = keras.saving.load_model("ported.keras")
record = np.load("expected.npz")

for reloaded in loaded.layers:
    if isinstance(reloaded, keras.layers.BatchNormalization):
        for name in ["moving_mean", "moving_variance"]:
            np.testing.assert_array_equal(
                getattr(reloaded, name).numpy(), record[name]
            )
        print("epsilon:", reloaded.epsilon, "momentum:", reloaded.momentum)
np.testing.assert_allclose(
    loaded.predict(record["x"], verbose=0), record["predictions"], atol=1e-5
)
print("statistics equal, predictions within 1e-5")
print("PyTorch imported:", "torch" in sys.modules)
# --8<-- [end:reload]


# --8<-- [start:wrong_order]
def damage(name, layer):
    error = np.abs(layer(x.numpy(), training=False) - expected).max()
    print(f"{name}: differs by more than 0.1: {error > 0.1}")


gamma, beta, mean, variance = arrays(module)
swapped = batchnorm(module)
swapped.build((None, 8))
swapped.set_weights([gamma, beta, variance, mean])
damage("mean and variance swapped", swapped)
# --8<-- [end:wrong_order]

# --8<-- [start:negative]
swapped.set_weights([gamma, beta, variance, -mean])
outputs = swapped(x.numpy(), training=False)
print("all outputs NaN:", np.all(np.isnan(outputs)))
# --8<-- [end:negative]

# --8<-- [start:assign]
layer.gamma.assign(to_numpy(module.weight))
layer.beta.assign(to_numpy(module.bias))
layer.moving_mean.assign(to_numpy(module.running_mean))
layer.moving_variance.assign(to_numpy(module.running_var))
damage("assigned by name", layer)
# --8<-- [end:assign]

# --8<-- [start:counter]
for given in [
    [tensor.numpy() for tensor in module.state_dict().values()],
    [tensor.detach().numpy() for tensor in module.parameters()],
]:
    try:
        layer.set_weights(given)
    except ValueError as error:
        print("ValueError:", "with a" + str(error).partition("with a")[2])
# --8<-- [end:counter]

# --8<-- [start:epsilon]
default = keras.layers.BatchNormalization()
default.build((None, 8))
default.set_weights(arrays(module))
print("epsilon:", default.epsilon, "in PyTorch:", module.eps)
damage("epsilon left at its default", default)
# --8<-- [end:epsilon]

# --8<-- [start:train_mode]
print("new and in training mode:", torch.nn.BatchNorm1d(8).training)
module.train()
before = module.running_mean.clone()
with torch.no_grad():
    wrong_outputs = module(x[:16]).numpy()
outputs = layer(x[:16].numpy(), training=False).numpy()
print("differ by more than 0.1:", np.abs(outputs - wrong_outputs).max() > 0.1)
print("running_mean moved:", not torch.equal(before, module.running_mean))
module.eval()
# --8<-- [end:train_mode]

# --8<-- [start:shared_memory]
import os

os.environ["KERAS_BACKEND"] = "jax"

import keras
import torch

for copy in [False, True]:
    source = torch.nn.BatchNorm1d(8)
    target = keras.layers.BatchNormalization()
    target.build((None, 8))
    array = source.running_mean.numpy()
    target.moving_mean.assign(array.copy() if copy else array)

    source(torch.ones(4, 8))
    kept = not target.moving_mean.numpy().any()
    print(f"copied: {copy}  moving_mean kept: {kept}")
# --8<-- [end:shared_memory]

# --8<-- [start:no_affine]
plain = torch.nn.BatchNorm1d(8, affine=False)
plain(x)
plain.eval()

bare = batchnorm(plain)
bare.build((None, 8))
bare.set_weights(arrays(plain))
print([variable.name for variable in bare.weights])
np.testing.assert_allclose(bare(x.numpy(), training=False), plain(x), atol=1e-5)
print("outputs within 1e-5")
# --8<-- [end:no_affine]

# --8<-- [start:no_statistics]
untracked = torch.nn.BatchNorm1d(8, track_running_stats=False)
untracked.eval()
print("running_mean:", untracked.running_mean)
with torch.no_grad():
    print("eval() depends on the batch:", end=" ")
    print(not torch.allclose(untracked(x)[:16], untracked(x[:16]), atol=0.1))

estimated = batchnorm(untracked)
estimated.build((None, 8))
try:
    estimated.set_weights(arrays(untracked))
except ValueError as error:
    print("ValueError:", "with a" + str(error).partition("with a")[2])
# --8<-- [end:no_statistics]

# --8<-- [start:estimate]
estimated.gamma.assign(to_numpy(untracked.weight))
estimated.beta.assign(to_numpy(untracked.bias))
momentum, estimated.momentum = estimated.momentum, 0.0
estimated(x.numpy(), training=True)
estimated.momentum = momentum

with torch.no_grad():
    wanted = untracked(x).numpy()
outputs = estimated(x.numpy(), training=False)
np.testing.assert_allclose(outputs, wanted, atol=1e-5)
print("outputs within 1e-5")
# --8<-- [end:estimate]

# --8<-- [start:back]
gamma, beta, mean, variance = map(torch.tensor, layer.get_weights())
back = torch.nn.BatchNorm1d(8, eps=layer.epsilon, momentum=1 - layer.momentum)
back.load_state_dict(
    {
        "weight": gamma,
        "bias": beta,
        "running_mean": mean,
        "running_var": variance,
        "num_batches_tracked": torch.tensor(0),
    },
    strict=True,
)
back.eval()
with torch.no_grad():
    outputs = back(x).numpy()
np.testing.assert_allclose(outputs, layer(x.numpy(), training=False), atol=1e-5)
print("outputs within 1e-5")

kernel = torch.tensor(ported.layers[0].kernel.numpy()).permute(3, 2, 0, 1)
print("conv kernel equal:", torch.equal(kernel, conv.weight))
# --8<-- [end:back]
