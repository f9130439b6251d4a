# --8<-- [start:setup]
import keras
import numpy as np
from bn_tools import estimate_again

keras.utils.set_random_seed(0)
gray = np.random.uniform(-1, 1, size=(64, 32, 32, 1)).astype("float32")
color = gray + np.random.normal(0, 0.1, size=(64, 32, 32, 3))


def net(channels):
    return keras.applications.MobileNetV2(
        input_shape=(32, 32, channels), alpha=0.35, weights=None, classes=5
    )


three = net(3)  # in place of a download: random weights
estimate_again(three, [color.astype("float32")])
three.save_weights("three.weights.h5")
expected = three(np.repeat(gray, 3, axis=-1), training=False)
# --8<-- [end:setup]

# --8<-- [start:top]
try:
    keras.applications.MobileNetV2(input_shape=(96, 96, 1))
except ValueError as error:
    print("ValueError:", *str(error).split())
# --8<-- [end:top]

# --8<-- [start:base]
try:
    keras.applications.MobileNetV2(input_shape=(96, 96, 1), include_top=False)
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:base]

# --8<-- [start:load]
one = net(1)
try:
    one.load_weights("three.weights.h5")
except ValueError as error:
    print("ValueError:", str(error).partition(" Target variable")[0])
# --8<-- [end:load]


# --8<-- [start:skip]
import warnings


def report(name, model):
    same = np.allclose(model(gray, training=False), expected, atol=1e-3)
    conv, bn = model.get_layer("Conv1"), model.get_layer("bn_Conv1")
    activations = conv(gray).numpy()
    ratio = activations.var((0, 1, 2)) / bn.moving_variance.numpy()
    fits = bool(np.all((ratio > 0.5) & (ratio < 2)))
    print(f"{name:13} statistics fit: {fits!s:5} same predictions: {same}")


one = net(1)
start = one.get_layer("Conv1").kernel.numpy()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    one.load_weights("three.weights.h5", skip_mismatch=True)
said = [str(warning.message) for warning in caught]
for message in said:
    if message.startswith("A total of"):
        print("UserWarning:", message.partition(". ")[0])
kept = np.array_equal(one.get_layer("Conv1").kernel, start)
print("the first kernel is still random:", kept)
report("skip_mismatch", one)
# --8<-- [end:skip]

# --8<-- [start:repeat]
inputs = keras.Input(shape=(32, 32, 1))
rgb = keras.layers.Concatenate()([inputs] * 3)
repeated = keras.Model(inputs, three(rgb))
same = np.allclose(repeated(gray, training=False), expected, atol=1e-3)
print("same predictions:", same)
# --8<-- [end:repeat]


# --8<-- [start:fix]
def copy_for_channels(source, target):
    """Copy all arrays into a model with another number of channels.

    With one channel, the first kernel is summed over the channels, which is
    the same as to repeat the channel. Channels behind those of the source get
    zeros, and do nothing until they are trained.

    Args:
        source: A model whose inputs have their channels last.
        target: A model from the same code, with 1 channel or with more.

    Raises:
        ValueError: Another array than one kernel differs. Nothing is copied.
    """
    before, after = source.input_shape[-1], target.input_shape[-1]
    arrays = [array.numpy() for array in source.weights]
    names = [[a.name for a in m.weights] for m in (source, target)]
    if names[0] != names[1]:
        raise ValueError("the arrays are not those of the same code")
    other = [
        i
        for i, array in enumerate(arrays)
        if array.shape != target.weights[i].shape
    ]
    if len(other) != 1 or names[0][other[0]] != "kernel":
        paths = [target.weights[i].path for i in other]
        raise ValueError(f"other shapes than those of one kernel: {paths}")
    kernel, shape = arrays[other[0]], tuple(target.weights[other[0]].shape)
    if kernel.shape[-2] != before or shape != (
        *kernel.shape[:-2],
        after,
        shape[-1],
    ):
        raise ValueError(f"not the kernel of the first layer: {shape}")
    if after == 1:
        kernel = kernel.sum(axis=-2, keepdims=True)
    elif after > before:
        new = np.zeros((*shape[:-2], after - before, shape[-1]), kernel.dtype)
        kernel = np.concatenate([kernel, new], axis=-2)
    else:
        raise ValueError(
            f"from {before} to {after} channels: 1 or more of them"
        )
    arrays[other[0]] = kernel
    for variable, array in zip(target.weights, arrays, strict=True):
        variable.assign(array)


one = net(1)
copy_for_channels(three, one)
report("summed", one)
# --8<-- [end:fix]

# --8<-- [start:four]
four = net(4)
copy_for_channels(three, four)
depth = np.random.normal(size=gray.shape)
predictions = four(np.concatenate([*[gray] * 3, depth], -1), training=False)
print("same predictions:", np.allclose(predictions, expected, atol=1e-3))
# --8<-- [end:four]

# --8<-- [start:sure]
from keras.applications import densenet, mobilenet_v2, resnet, resnet_v2

photo = np.repeat(np.random.uniform(0, 255, (1, 8, 8, 1)), 3, axis=-1)
for module in [mobilenet_v2, resnet_v2, resnet, densenet]:
    prepared = module.preprocess_input(photo.copy())
    equal = np.allclose(prepared, prepared[..., :1])
    print(f"{module.__name__.split('.')[-1]:12} channels are equal: {equal}")
# --8<-- [end:sure]
