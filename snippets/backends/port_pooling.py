# --8<-- [start:more_rules]
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


MORE_RULES = {
    **dict.fromkeys([nn.ConvTranspose1d, nn.ConvTranspose2d], transposed),
    **dict.fromkeys([nn.MaxPool1d, nn.MaxPool2d], pooling),
    **dict.fromkeys([nn.AvgPool1d, nn.AvgPool2d], pooling),
    **dict.fromkeys([nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d], adaptive),
}
# --8<-- [end:more_rules]


# --8<-- [start:check]
torch.manual_seed(0)
images = torch.randn(4, 3, 16, 16)


def check(module):
    x = inputs = keras.Input((16, 16, 3))
    for each in MORE_RULES[type(module)](module.eval(), x, None):
        x = each(x)
    model = keras.Model(inputs, x)
    arrays = [tensor.detach().numpy() for tensor in module.parameters()]
    if arrays:  # a kernel, with its channels last, and a bias
        shape = model.weights[0].shape
        kernel = arrays[0].transpose(2, 3, 1, 0).reshape(shape)
        model.set_weights([kernel, arrays[1]])
    outputs = np.moveaxis(model(np.moveaxis(images.numpy(), 1, -1)), -1, 1)
    same = np.allclose(outputs, module(images).detach(), atol=1e-4)
    print(f"{type(module).__name__:17} outputs equal: {same}")


for module in [
    nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1, output_padding=1),
    nn.MaxPool2d(2),
    nn.MaxPool2d(3, stride=2, padding=1),
    nn.AvgPool2d(3, stride=2, padding=1),
    nn.AdaptiveAvgPool2d(1),
    nn.AdaptiveAvgPool2d(4),
]:
    check(module)
# --8<-- [end:check]

# --8<-- [start:refusals]
for module in [
    nn.ConvTranspose2d(3, 4, 3, dilation=2),
    nn.MaxPool2d(3, ceil_mode=True),
    nn.MaxPool2d(2, padding=1),
    nn.AvgPool2d(3, padding=1, count_include_pad=False),
    nn.AdaptiveAvgPool2d(5),
]:
    try:
        check(module)
    except ValueError as error:
        print(f"{type(module).__name__:17} {error}")
# --8<-- [end:refusals]
