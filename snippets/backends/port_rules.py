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
    **dict.fromkeys(
        [nn.BatchNorm1d, nn.BatchNorm2d],
        lambda module, x, name: [batchnorm(module, name=name)],
    ),
    nn.Linear: linear,
    nn.Flatten: flatten,
    nn.Dropout: lambda module, x, name: [keras.layers.Dropout(module.p)],
}
# --8<-- [end:rules]


# --8<-- [start:check]
torch.manual_seed(0)
images = torch.randn(4, 3, 16, 16)


def check(module):
    x = inputs = keras.Input((16, 16, 3))
    for each in RULES[type(module)](module.eval(), x, None):
        x = each(x)
    model = keras.Model(inputs, x)
    arrays = [tensor.detach().numpy() for tensor in module.parameters()]
    if arrays:  # a kernel, with its channels last, and a bias
        shape = model.weights[0].shape
        kernel = arrays[0].transpose(2, 3, 1, 0).reshape(shape)
        model.set_weights([kernel, arrays[1]])
    outputs = np.moveaxis(model(np.moveaxis(images.numpy(), 1, -1)), -1, 1)
    same = np.allclose(outputs, module(images).detach(), atol=1e-4)
    print(f"{type(module).__name__:15} outputs equal: {same}")


for module in [
    nn.Conv2d(3, 8, 3, padding="same"),
    nn.Conv2d(3, 8, 3, stride=2, padding=1),
    nn.Conv2d(3, 6, 3, dilation=2, groups=3),
    nn.Flatten(),
    nn.GELU(),
]:
    check(module)
# --8<-- [end:check]

# --8<-- [start:refusals]
for module in [
    nn.Conv2d(3, 8, 3, padding=1, padding_mode="reflect"),
    nn.GELU(approximate="tanh"),
    nn.BatchNorm2d(3, momentum=None),
    nn.BatchNorm2d(3, track_running_stats=False),
]:
    try:
        check(module)
    except ValueError as error:
        print(f"{type(module).__name__:15} {error}")
# --8<-- [end:refusals]


# --8<-- [start:new_rule]
def upsample(module, x, name):
    demand(module, mode="nearest", size=None)
    return [keras.layers.UpSampling2D(int(module.scale_factor))]


RULES[nn.Upsample] = upsample
check(nn.Upsample(scale_factor=2))
# --8<-- [end:new_rule]
