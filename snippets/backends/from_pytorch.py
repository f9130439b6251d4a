# --8<-- [start:rules]
import keras
import numpy as np
import torch
from torch import nn


def demand(module, **settings):
    for name, only in settings.items():
        if getattr(module, name, only) != only:
            raise ValueError(f"no rule for {name}={getattr(module, name)}")


def layer(kind, axes, *args, **settings):  # "Conv{}D", 2 is Conv2D
    return getattr(keras.layers, kind.format(axes))(*args, **settings)


def around(kind, before, after):  # ZeroPadding{}D, Cropping{}D, or nothing
    pairs = list(zip(before, after, strict=True))
    sides = pairs if len(pairs) > 1 else pairs[0]
    return [layer(kind, len(pairs), sides)] if np.any(pairs) else []


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


def convolution(module, x, name):
    demand(module, padding_mode="zeros")
    axes, groups = len(module.kernel_size), module.groups
    padding, first = module.padding, []
    if not isinstance(padding, str):  # PyTorch has "same" for stride 1 only
        padding, first = "valid", around("ZeroPadding{}D", padding, padding)
    settings = {
        "kernel_size": module.kernel_size,
        "strides": module.stride,
        "padding": padding,
        "dilation_rate": module.dilation,
        "use_bias": module.bias is not None,
        "name": name,
    }
    depthwise = axes == 2 and 1 < groups == module.in_channels
    if depthwise and len(set(module.stride)) == 1:
        multiplier = module.out_channels // groups
        last = keras.layers.DepthwiseConv2D(
            depth_multiplier=multiplier, **settings
        )
    else:
        settings |= {"filters": module.out_channels, "groups": groups}
        last = layer("Conv{}D", axes, **settings)
    return [*first, last]


def transposed(module, x, name):
    axes = len(module.kernel_size)
    demand(module, groups=1, dilation=(1,) * axes)
    whole = layer(
        "Conv{}DTranspose",
        axes,
        module.out_channels,
        module.kernel_size,
        strides=module.stride,
        use_bias=module.bias is not None,
        name=name,
    )
    cut = [
        max(stride - size, 0) + padding - more
        for stride, size, padding, more in zip(
            module.stride,
            module.kernel_size,
            module.padding,
            module.output_padding,
            strict=True,
        )
    ]
    if min(cut) < 0:
        demand(module, output_padding=(0,) * axes)
    return [whole, *around("Cropping{}D", module.padding, cut)]


def pooling(module, x, name):
    axes = len(x.shape) - 2
    demand(module, ceil_mode=False, return_indices=False)
    demand(module, divisor_override=None)
    size, stride, padding = (
        tuple(np.broadcast_to(setting, axes).tolist())
        for setting in (module.kernel_size, module.stride, module.padding)
    )
    if isinstance(module, (nn.AvgPool1d, nn.AvgPool2d)):
        if any(padding):
            demand(module, count_include_pad=True)
        first = around("ZeroPadding{}D", padding, padding)
        return [*first, layer("AveragePooling{}D", axes, size, stride)]
    if np.any(np.broadcast_to(module.dilation, axes) != 1):
        raise ValueError(f"no rule for dilation={module.dilation}")
    if not any(padding):
        return [layer("MaxPooling{}D", axes, size, stride)]
    if any(2 * p + 1 != k for p, k in zip(padding, size, strict=True)):
        raise ValueError(f"no rule for padding={padding} of {size}")
    # PyTorch pads with minus infinity, on both sides: every maximum, then
    # those that the stride keeps.
    every = layer("MaxPooling{}D", axes, size, 1, padding="same")
    return [every, layer("MaxPooling{}D", axes, (1,) * axes, stride)]


def adaptive(module, x, name):
    axes = len(x.shape) - 2
    wanted = np.broadcast_to(module.output_size, axes).tolist()
    if wanted == [1] * axes:
        return [layer("GlobalAveragePooling{}D", axes, keepdims=True)]
    given = x.shape[1:-1]
    if None in [*given, *wanted] or np.any(np.mod(given, wanted)):
        raise ValueError(f"no rule for {given} to {wanted}")
    size = tuple(np.floor_divide(given, wanted).tolist())
    return [layer("AveragePooling{}D", axes, size)]


def linear(module, x, name):
    if len(x.shape) != 2:
        raise ValueError(f"no rule for inputs of shape {x.shape}")
    use_bias = module.bias is not None
    return [
        keras.layers.Dense(module.out_features, use_bias=use_bias, name=name)
    ]


def flatten(module, x, name):
    demand(module, start_dim=1, end_dim=-1)
    axes = range(1, len(x.shape))
    first = keras.layers.Permute((axes[-1], *axes[:-1]))  # channels first
    return [first, keras.layers.Flatten()]


def activation(module, x, name):
    demand(module, approximate="none")  # of GELU
    return [keras.layers.Activation(ACTIVATIONS[type(module)])]


ACTIVATIONS = {
    nn.ReLU: "relu",
    nn.ReLU6: "relu6",
    nn.SiLU: "silu",
    nn.GELU: "gelu",
    nn.Hardswish: "hard_silu",
    nn.Sigmoid: "sigmoid",
    nn.Tanh: "tanh",
    nn.Identity: "linear",
}
RULES = {
    **dict.fromkeys(ACTIVATIONS, activation),
    **dict.fromkeys([nn.Conv1d, nn.Conv2d], convolution),
    **dict.fromkeys([nn.ConvTranspose1d, nn.ConvTranspose2d], transposed),
    **dict.fromkeys([nn.MaxPool1d, nn.MaxPool2d], pooling),
    **dict.fromkeys([nn.AvgPool1d, nn.AvgPool2d], pooling),
    **dict.fromkeys([nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d], adaptive),
    **dict.fromkeys(
        [nn.BatchNorm1d, nn.BatchNorm2d],
        lambda module, x, name: [batchnorm(module, name=name)],
    ),
    nn.Linear: linear,
    nn.Flatten: flatten,
    nn.Dropout: lambda module, x, name: [keras.layers.Dropout(module.p)],
}
# --8<-- [end:rules]


# --8<-- [start:port]
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
        if array.ndim > 1:  # a kernel: its two axes of channels go last
            array = array.transpose(*range(2, array.ndim), 1, 0)
        found.append(array)
    return found


class Port:
    """Build a Keras model, channels last, from the modules of a PyTorch net."""

    def __init__(self, net):
        self.net, self.ported = net, {}
        self.names = {module: name for name, module in net.named_modules()}
        if any(module.training for module in self.names):
            raise ValueError("the net is in training mode: call net.eval()")
        if not all(parameter.requires_grad for parameter in net.parameters()):
            text = "call net.requires_grad_(), and freeze in Keras"
            raise ValueError(f"requires_grad=False: {text}")

    def __call__(self, module, x):
        kind, name = type(module), self.names.get(module, "")
        if getattr(kind, "forward", None) is nn.Sequential.forward:
            for child in module:
                x = self(child, x)
            return x
        try:
            if kind not in RULES:
                raise ValueError("no rule for this kind of module")
            layers = self.ported.get(module)
            if layers is None:
                label = name.replace(".", "_") or None
                layers = RULES[kind](module, x, label)
            for each in layers:
                x = each(x)
            if module.state_dict() and module not in self.ported:
                [owner] = [each for each in layers if each.weights]
                found = arrays(module)
                if isinstance(owner, keras.layers.DepthwiseConv2D):
                    found[0] = found[0].reshape(owner.kernel.shape)
                owner.set_weights(found)
                self.ported[module] = layers
        except (TypeError, ValueError) as error:
            where = f"{name or 'net'} ({kind.__name__})"
            raise ValueError(f"{where}: {error}") from error
        return x

    def model(self, inputs, outputs, images):
        """Return the model if it has all arrays and gives the net's outputs."""
        left = [
            name
            for module, name in self.names.items()
            if [*module.parameters(False), *module.buffers(False)]
            and module not in self.ported
        ]
        if left:
            raise ValueError(f"never called, so not ported: {left}")
        model = keras.Model(inputs, outputs)
        with torch.no_grad():
            wanted = channels_last(self.net(images))
        given = model(channels_last(images), training=False)
        error = np.abs(keras.ops.convert_to_numpy(given) - wanted).max()
        # What sets one image apart from another, not what all have in common.
        signal = np.abs(wanted - wanted.mean(axis=0)).max()
        if signal == 0:
            raise ValueError("all images have the same outputs: take others")
        if not error < 1e-4 * signal:
            raise ValueError(f"outputs differ by {error:.1g} of {signal:.1g}")
        return model


def channels_last(tensor):
    return np.moveaxis(tensor.detach().cpu().numpy(), 1, -1)


# --8<-- [end:port]


# --8<-- [start:net]
class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.depthwise = nn.Conv2d(
            outputs, outputs, 3, padding=1, groups=outputs, bias=False
        )
        self.bn2 = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv(x)))
        y = self.bn2(self.depthwise(y))
        return torch.relu(y + self.shortcut(x))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1, bias=False),
            nn.BatchNorm2d(8),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.blocks = nn.Sequential(Block(8, 8, 1), Block(8, 16, 2))
        self.classifier = nn.Linear(16 * 4 * 4, 5)

    def forward(self, x):
        x = self.blocks(self.stem(x))
        return self.classifier(torch.flatten(x, 1))


torch.manual_seed(0)
images = torch.randn(64, 3, 16, 16) * 2 + 1
labels = torch.arange(64) % 5
net = Net()
for parameter in net.parameters():  # as if it were trained
    if parameter.ndim == 1:
        nn.init.uniform_(parameter, 0.5, 1.5)
for batch in images.split(16):
    net(batch)
net.eval()
# --8<-- [end:net]


# --8<-- [start:port_net]
def block(port, module, x):  # Block.forward, with port(...) around modules
    y = keras.ops.relu(port(module.bn1, port(module.conv, x)))
    y = port(module.bn2, port(module.depthwise, y))
    return keras.ops.relu(y + port(module.shortcut, x))


def whole(block):  # Net.forward, in the same way
    port = Port(net)
    inputs = keras.Input((16, 16, 3))
    x = port(net.stem, inputs)
    for module in net.blocks:
        x = block(port, module, x)
    outputs = port(net.classifier, port(nn.Flatten(), x))
    return port, port.model(inputs, outputs, images)


port, model = whole(block)

others = torch.randn(64, 3, 16, 16) * 2 + 1
with torch.no_grad():
    wanted = net(others).numpy()
outputs = model.predict(channels_last(others), verbose=0)
np.testing.assert_allclose(outputs, wanted, atol=1e-4)
print(len(model.weights), "arrays, outputs for other images within 1e-4")
# --8<-- [end:port_net]


# --8<-- [start:mistakes]
def without_relu(port, module, x):
    y = port(module.bn1, port(module.conv, x))
    y = port(module.bn2, port(module.depthwise, y))
    return keras.ops.relu(y + port(module.shortcut, x))


def without_shortcut(port, module, x):
    y = keras.ops.relu(port(module.bn1, port(module.conv, x)))
    return keras.ops.relu(port(module.bn2, port(module.depthwise, y)))


for wrong in [without_relu, without_shortcut, block]:
    try:
        whole(wrong)
        print("right")
    except ValueError as error:
        print(str(error).partition(" by")[0])
# --8<-- [end:mistakes]

# --8<-- [start:refusals]
for module in [
    nn.Conv2d(3, 8, 3, padding=1),
    nn.Conv2d(3, 8, 3, padding=1, padding_mode="reflect"),
    nn.MaxPool2d(3, ceil_mode=True),
    nn.GroupNorm(1, 3),
    nn.BatchNorm2d(3, momentum=None),
    nn.BatchNorm2d(3, track_running_stats=False),
    nn.BatchNorm2d(3).double(),
    nn.BatchNorm2d(3).requires_grad_(False),
]:
    try:
        Port(module.eval())(module, keras.Input((16, 16, 3)))
        print("ported:", type(module).__name__)
    except ValueError as error:
        print(error)
# --8<-- [end:refusals]


# --8<-- [start:new_rule]
def upsample(module, x, name):
    demand(module, mode="nearest", size=None)
    return [keras.layers.UpSampling2D(int(module.scale_factor))]


RULES[nn.Upsample] = upsample
up = nn.Sequential(nn.Upsample(scale_factor=2)).eval()
inputs = keras.Input((16, 16, 3))
port_up = Port(up)
port_up.model(inputs, port_up(up, inputs), images)
print("outputs equal")
# --8<-- [end:new_rule]

# --8<-- [start:save]
model.save("ported.keras")
np.savez(
    "expected.npz", *model.get_weights(), x=channels_last(others), y=wanted
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
np.testing.assert_allclose(predictions, record["y"], atol=1e-4)
print("arrays equal, predictions within 1e-4 of PyTorch's")

for name in ["stem_1", "blocks_1_bn2"]:
    bn = loaded.get_layer(name)
    print(f"{name:12} epsilon {bn.epsilon:g} momentum {bn.momentum:g}")
print("PyTorch imported:", "torch" in sys.modules)
# --8<-- [end:reload]

# --8<-- [start:train_both]
sgd = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
model.compile(
    optimizer=keras.optimizers.SGD(0.01, momentum=0.9),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
start = {module: arrays(module) for module in port.ported}
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
for module, layers in port.ported.items():
    [owner] = [each for each in layers if each.weights]
    for w, before, there in zip(owner.weights, start[module], arrays(module)):
        here = w.numpy().reshape(there.shape)
        error = np.abs(here - there).max() / np.abs(there - before).max()
        differs[w.name] = max(error, differs.get(w.name, 0))
for name, error in differs.items():
    print(f"{name:16} equal to 1% of what the steps changed: {error < 0.01}")
# --8<-- [end:train_both]

# --8<-- [start:one_step]
rows = torch.randn(8, 4) * 2 + 5
there = nn.BatchNorm1d(4).eval()
here = batchnorm(there)
here.build((None, 4))
here.set_weights(arrays(there))

there.train()
outputs = there(rows).detach().numpy()
np.testing.assert_allclose(
    here(rows.numpy(), training=True), outputs, atol=1e-5
)
np.testing.assert_allclose(here.moving_mean, there.running_mean, rtol=1e-5)
print("outputs in training mode and means within 1e-5")

# Both keep 0.9 of the starting value 1, so the rest is what the step added.
added = here.moving_variance.numpy() - 0.9
ratio = (there.running_var.numpy() - 0.9) / added
print("PyTorch added more by 8/7:", np.allclose(ratio, 8 / 7, rtol=1e-3))
# --8<-- [end:one_step]

# --8<-- [start:momentum]
way = {}
there = nn.BatchNorm1d(4, momentum=0.1)
there(rows)
way["PyTorch, 0.1"] = there.running_mean.numpy()
for momentum in [0.9, 0.1, 0.99]:
    here = keras.layers.BatchNormalization(momentum=momentum)
    here(rows.numpy(), training=True)
    way[f"Keras, {momentum}"] = here.moving_mean.numpy()

for name, mean in way.items():
    share = np.mean(mean / rows.mean(dim=0).numpy())
    print(f"{name:13} {share:4.0%} of the way after one step")
# --8<-- [end:momentum]


# --8<-- [start:padding]
def judge(name, outputs, wanted):
    outputs, wanted = np.asarray(outputs), channels_last(wanted)
    shapes = "same shape" if outputs.shape == wanted.shape else "other shape"
    right = np.allclose(outputs, wanted, atol=1e-4)
    print(f"{name:41} {shapes}, {'right' if right else 'WRONG'}")


pictures = torch.randn(4, 3, 8, 8) - 2  # most values are negative
x_last = channels_last(pictures)
around_it = keras.layers.ZeroPadding2D(1)

for stride in [1, 2]:
    there = nn.Conv2d(3, 4, 3, stride, padding=1)
    for padding in ["same", "valid"]:
        here = keras.layers.Conv2D(4, 3, stride, padding)
        here.build((None, None, None, 3))
        here.set_weights(arrays(there))
        x = x_last if padding == "same" else around_it(x_last)
        how = "same" if padding == "same" else "ZeroPadding2D(1)"
        judge(f"Conv2D, stride {stride}, {how}", here(x), there(pictures))

wanted = nn.MaxPool2d(3, 2, padding=1)(pictures)
pool = keras.layers.MaxPooling2D
judge("MaxPooling2D, stride 2, same", pool(3, 2, "same")(x_last), wanted)
judge(
    "MaxPooling2D, stride 2, ZeroPadding2D(1)",
    pool(3, 2)(around_it(x_last)),
    wanted,
)
every = pool(3, 1, "same")(x_last)
judge("MaxPooling2D, stride 1, then every 2nd", every[:, ::2, ::2], wanted)
# --8<-- [end:padding]

# --8<-- [start:kernels]
there = nn.Conv2d(3, 3, 3, groups=3, bias=False)
here = keras.layers.DepthwiseConv2D(3, use_bias=False)
here.build(x_last.shape)
kernel = there.weight.detach().numpy()  # (3, 1, 3, 3)
for name, array in {
    "depthwise, transposed": kernel.transpose(2, 3, 0, 1),
    "depthwise, reshaped": kernel.reshape(3, 3, 3, 1),
}.items():
    here.set_weights([array])
    judge(name, here(x_last), there(pictures))

there = nn.Linear(3 * 8 * 8, 5)
here = keras.layers.Dense(5)
here.build((None, 3 * 8 * 8))
here.set_weights(arrays(there))
flat = keras.layers.Flatten()
wanted = there(torch.flatten(pictures, 1))
judge("flattened", here(flat(x_last)), wanted)
first = keras.layers.Permute((3, 1, 2))(x_last)
judge("channels moved to the front, flattened", here(flat(first)), wanted)
# --8<-- [end:kernels]

# --8<-- [start:silent]
features = torch.randn(256, 4) * torch.tensor([0.05, 1, 2, 3]) + 3
there = nn.BatchNorm1d(4)
nn.init.uniform_(there.weight, 0.5, 1.5)
nn.init.uniform_(there.bias, 0.5, 1.5)
for _ in range(100):
    there(features)
wanted = there.eval()(features)
gamma, beta, mean, variance = arrays(there)

for name, settings, values in [
    (
        "mean and variance swapped",
        {"epsilon": 1e-5},
        [gamma, beta, variance, mean],
    ),
    (
        "gamma and beta swapped",
        {"epsilon": 1e-5},
        [beta, gamma, mean, variance],
    ),
    ("epsilon left at 1e-3", {}, [gamma, beta, mean, variance]),
    ("as PyTorch has it", {"epsilon": 1e-5}, [gamma, beta, mean, variance]),
]:
    here = keras.layers.BatchNormalization(**settings)
    here.build((None, 4))
    here.set_weights(values)
    judge(name, here(features.numpy(), training=False), wanted)

rows = features[:8]
outputs = here(rows.numpy(), training=False)
judge("after eval()", outputs, there.eval()(rows))
judge("after train()", outputs, there.train()(rows))
judge("after eval() again", outputs, there.eval()(rows))
# --8<-- [end:silent]

# --8<-- [start:axis]
for length in [10, 4]:
    signal = torch.randn(16, 4, length) * torch.arange(1.0, 5).reshape(4, 1)
    there = nn.BatchNorm1d(4)
    there(signal)
    there.eval()
    for axis in [-1, 1]:
        here = batchnorm(there, axis=axis)
        here.build(signal.shape)
        try:
            here.set_weights(arrays(there))
        except ValueError:
            print(f"length {length}, axis={axis}: ValueError")
            continue
        outputs = np.moveaxis(here(signal.numpy(), training=False), 1, -1)
        judge(f"length {length}, axis={axis}", outputs, there(signal))
# --8<-- [end:axis]

# --8<-- [start:counter]
here = batchnorm(nn.BatchNorm1d(4))
here.build((None, 4))
for given in [
    [tensor.numpy() for tensor in there.state_dict().values()],
    [tensor.detach().numpy() for tensor in there.parameters()],
    arrays(there),
]:
    try:
        here.set_weights(given)
        print(len(given), "arrays set")
    except ValueError as error:
        print("ValueError:", "with a" + str(error).partition("with a")[2])
# --8<-- [end:counter]

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

# --8<-- [start:no_statistics]
for track in [True, False]:
    there = nn.BatchNorm1d(4, track_running_stats=track).eval()
    alone, among_others = there(features[:8]), there(features)[:8]
    same = torch.allclose(alone, among_others, atol=0.1)
    print(f"track_running_stats={track}: 8 rows alone, same outputs: {same}")
# --8<-- [end:no_statistics]

# --8<-- [start:estimate]
from bn_tools import estimate_again

untracked = nn.Sequential(there).eval()
wanted = untracked(features)

there.running_mean, there.running_var = torch.zeros(4), torch.ones(4)
port_it = Port(untracked)
inputs = keras.Input((4,))
ported = port_it.model(inputs, port_it(untracked, inputs), features)
judge("with 0 and 1", ported(features.numpy(), training=False), wanted)
estimate_again(ported, [features.numpy()])
judge("estimated", ported(features.numpy(), training=False), wanted)
# --8<-- [end:estimate]

# --8<-- [start:back]
[bn] = port.ported[net.stem[1]]
gamma, beta, mean, variance = map(torch.tensor, bn.get_weights())
back = nn.BatchNorm2d(8, eps=bn.epsilon, momentum=1 - bn.momentum)
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
features = torch.randn(4, 8, 5, 5)
judge(
    "BatchNorm2d", bn(channels_last(features), training=False), back(features)
)

[conv] = port.ported[net.blocks[0].shortcut]
kernel, bias = map(torch.tensor, conv.get_weights())
convolution_back = nn.Conv2d(8, 8, 1)
convolution_back.load_state_dict(
    {"weight": kernel.permute(3, 2, 0, 1), "bias": bias}, strict=True
)
judge("Conv2d", conv(channels_last(features)), convolution_back(features))
# --8<-- [end:back]

# --8<-- [start:versions]
from importlib.metadata import version

for library in ["torch", "keras", "tensorflow", "jax"]:
    print(library, version(library).partition("+")[0])
# --8<-- [end:versions]
