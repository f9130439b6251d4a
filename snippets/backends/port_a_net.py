# --8<-- [start:port]
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

# --8<-- [start:few_rules]
RULES = {
    nn.Linear: lambda module, x, name: [
        keras.layers.Dense(module.out_features, name=name)
    ],
    nn.Conv2d: lambda module, x, name: [
        keras.layers.ZeroPadding2D(module.padding),
        keras.layers.Conv2D(
            module.out_channels,
            module.kernel_size,
            strides=module.stride,
            use_bias=module.bias is not None,
            name=name,
        ),
    ],
    nn.BatchNorm2d: lambda module, x, name: [
        keras.layers.BatchNormalization(
            epsilon=module.eps, momentum=1 - module.momentum, name=name
        )
    ],
}
# --8<-- [end:few_rules]


# --8<-- [start:net]
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))
        self.conv = nn.Conv2d(8, 16, 3, stride=2, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(16, eps=1e-3, momentum=0.01)
        self.shortcut = nn.Conv2d(8, 16, 1, stride=2)
        self.classifier = nn.Linear(16, 5)

    def forward(self, x):
        x = self.stem(x)
        x = torch.relu(self.bn(self.conv(x)) + self.shortcut(x))
        return self.classifier(x.mean(dim=(2, 3)))


torch.manual_seed(0)
images, others = torch.randn(2, 64, 3, 16, 16) * 2 + 1
net = Net()
net(images)  # moves the statistics, as if it were trained
net.eval()
# --8<-- [end:net]


# --8<-- [start:port_net]
def rebuild(port, x):  # Net.forward, with port(...) around the modules
    x = port(net.stem, x)
    y = port(net.bn, port(net.conv, x))
    x = keras.ops.relu(y + port(net.shortcut, x))
    return port(net.classifier, keras.ops.mean(x, axis=(1, 2)))


def whole(rebuild):
    port, inputs = Port(net), keras.Input((16, 16, 3))
    return port.model(inputs, rebuild(port, inputs), images)


model = whole(rebuild)
with torch.no_grad():
    wanted = net(others).numpy()
outputs = model.predict(channels_last(others), verbose=0)
np.testing.assert_allclose(outputs, wanted, atol=1e-4)
print(len(model.weights), "arrays, outputs for other images within 1e-4")
# --8<-- [end:port_net]


# --8<-- [start:mistakes]
def without_relu(port, x):
    x = port(net.stem, x)
    x = port(net.bn, port(net.conv, x)) + port(net.shortcut, x)
    return port(net.classifier, keras.ops.mean(x, axis=(1, 2)))


def without_shortcut(port, x):
    x = keras.ops.relu(port(net.bn, port(net.conv, port(net.stem, x))))
    return port(net.classifier, keras.ops.mean(x, axis=(1, 2)))


for wrong in [without_relu, without_shortcut, rebuild]:
    try:
        whole(wrong)
        print("right")
    except ValueError as error:
        print(str(error).partition(" by")[0])
# --8<-- [end:mistakes]

# --8<-- [start:refusals]
for module in [
    nn.Conv2d(3, 8, 3, padding=1),
    nn.GroupNorm(1, 3),
    nn.BatchNorm2d(3).double(),
    nn.BatchNorm2d(3).requires_grad_(False),
]:
    try:
        Port(module.eval())(module, keras.Input((16, 16, 3)))
        print("ported:", type(module).__name__)
    except ValueError as error:
        print(error)
# --8<-- [end:refusals]
