# --8<-- [start:shapes]
import keras
import numpy as np


def shapes(input_shape, axis=-1):
    layer = keras.layers.BatchNormalization(axis=axis)
    layer.build(input_shape)
    return [tuple(array.shape) for array in layer.weights]


print("Dense             ", shapes((None, 20)))
print("sequence          ", shapes((None, 50, 20)))
print("Conv2D            ", shapes((None, 32, 24, 3)))
print("channels first    ", shapes((None, 3, 32, 24), axis=1))
print("another axis, by 2", shapes((None, 32, 24, 3), axis=2))
# --8<-- [end:shapes]

# --8<-- [start:start]
layer = keras.layers.BatchNormalization()
layer.build((None, 3))
for array in layer.weights:
    kind = "trainable" if array.trainable else "not trainable"
    print(f"{array.name:16} {kind:14} starts at {np.unique(array)}")
# --8<-- [end:start]

# --8<-- [start:training]
keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(200, 3)).astype("float32")

# Unlike the starting values, so that a wrong formula is found out.
gamma, beta, mean, variance = (
    np.random.uniform(0.5, 2, size=3).astype("float32") for _ in range(4)
)
layer.set_weights([gamma, beta, mean, variance])


def normalized(mean, variance):
    return gamma * (x - mean) / np.sqrt(variance + layer.epsilon) + beta


def equal(a, b):
    # float32 holds about seven digits, and NumPy sums in another order.
    return np.allclose(a, b, rtol=1e-5, atol=1e-5)


batch_mean = x.mean(axis=0)
batch_variance = x.var(axis=0)
by_batch = normalized(batch_mean, batch_variance)
by_moving = normalized(mean, variance)

outputs = layer(x, training=True)
print("by the batch:", equal(outputs, by_batch))
print("by the moving statistics:", equal(outputs, by_moving))
# --8<-- [end:training]

# --8<-- [start:update]
kept = layer.momentum
print("momentum:", kept)
for name, old, batch in [
    ("moving_mean", mean, batch_mean),
    ("moving_variance", variance, batch_variance),
]:
    new = getattr(layer, name)
    formula = kept * old + (1 - kept) * batch
    swapped = (1 - kept) * old + kept * batch
    print(f"{name:15} by the formula:", equal(new, formula))
    print(f"{'':15} shares swapped:", equal(new, swapped))
unchanged = np.array_equal([gamma, beta], layer.get_weights()[:2])
print("gamma and beta unchanged:", unchanged)
# --8<-- [end:update]

# --8<-- [start:inference]
before = layer.get_weights()
by_moving = normalized(*before[2:])

outputs = layer(x, training=False)
print("by the batch:", equal(outputs, by_batch))
print("by the moving statistics:", equal(outputs, by_moving))
for mode in [False, True]:
    layer(x, training=mode)
    same = all(map(np.array_equal, before, layer.get_weights()))
    print(f"all arrays unchanged by training={mode}: {same}")
# --8<-- [end:inference]

# --8<-- [start:reads]
for mode in [True, False]:
    read = []
    for i, array in enumerate(layer.weights):
        layer.set_weights(before)
        outputs = layer(x, training=mode)
        layer.set_weights([*before[:i], before[i] + 1, *before[i + 1 :]])
        if not np.array_equal(outputs, layer(x, training=mode)):
            read.append(array.name)
    print(f"training={mode}:", *read)
# --8<-- [end:reads]

# --8<-- [start:conv]
images = np.random.normal(5, 3, size=(4, 3, 3, 2)).astype("float32")
# With momentum 0 the moving statistics are those of the batch.
conv = keras.layers.BatchNormalization(momentum=0.0)
conv(images, training=True)
for axes in [(0,), (0, 1, 2)]:
    same = equal(conv.moving_mean, images.mean(axis=axes))
    print(f"mean over axes {axes}: {same}")
# --8<-- [end:conv]

# --8<-- [start:biased]
for inputs in [x[:10], images]:
    fresh = keras.layers.BatchNormalization(momentum=0.0)
    fresh(inputs, training=True)
    axes = tuple(range(inputs.ndim - 1))
    for ddof in [0, 1]:
        expected = inputs.var(axis=axes, ddof=ddof)
        same = equal(fresh.moving_variance, expected)
        print(f"{inputs.ndim}-D inputs, divided by N - {ddof}: {same}")
# --8<-- [end:biased]

# --8<-- [start:order]
names = ["gamma", "beta", "moving_mean", "moving_variance"]
for name, array in zip(names, layer.get_weights(), strict=True):
    np.testing.assert_array_equal(array, getattr(layer, name))
print([array.name for array in layer.weights])
# --8<-- [end:order]


# --8<-- [start:left_out]
def names(**options):
    other = keras.layers.BatchNormalization(**options)
    other.build((None, 3))
    return [array.name for array in other.weights]


print("center=False:", *names(center=False))
print("scale=False: ", *names(scale=False))
print("both False:  ", *names(center=False, scale=False))
assert names(renorm=True)[:4] == names(renorm=False)
print("renorm=True:  the four, then", *names(renorm=True)[4:])
# --8<-- [end:left_out]

# --8<-- [start:swap]
no_gamma = keras.layers.BatchNormalization(scale=False)
no_beta = keras.layers.BatchNormalization(center=False)
no_gamma.build((None, 3))
no_beta.build((None, 3))
no_gamma.beta.assign([7, 8, 9])

print("gamma before:", no_beta.gamma.numpy())
no_beta.set_weights(no_gamma.get_weights())
print("gamma after: ", no_beta.gamma.numpy())
# --8<-- [end:swap]


# --8<-- [start:checked]
def set_checked(target, source):
    """Give one BatchNormalization layer the arrays of another, or raise."""
    if not isinstance(target, keras.layers.BatchNormalization):
        raise TypeError(f"{target.name} is no BatchNormalization layer")
    for own, other in zip(target.weights, source.weights, strict=True):
        if own.name != other.name:
            raise ValueError(f"{own.name} would take {other.name}")
    target.set_weights(source.get_weights())


other = keras.layers.BatchNormalization(center=False)
other.build((None, 3))
set_checked(other, no_beta)
print("same names:", other.gamma.numpy())
try:
    set_checked(other, no_gamma)
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:checked]

# --8<-- [start:dtypes]
import tensorflow as tf

column = np.array([[2], [8]], dtype="float32")
print("true mean", column.mean(), "true variance", column.var())

for policy in [
    "float32",
    "mixed_float16",
    "mixed_bfloat16",
    "float16",
    "bfloat16",
]:
    typed = keras.layers.BatchNormalization(dtype=policy)
    step = tf.function(typed)
    for _ in range(1500):
        outputs = step(column, training=True)
    arrays = {array.dtype for array in typed.weights}
    mean, variance = (
        float(keras.ops.cast(array[0], "float32"))
        for array in [typed.moving_mean, typed.moving_variance]
    )
    print(
        f"{policy:14} outputs {outputs.dtype.name:8} arrays {arrays} reached:",
        np.isclose(mean, column.mean(), rtol=0.01),
        np.isclose(variance, column.var(), rtol=0.01),
    )
# --8<-- [end:dtypes]


# --8<-- [start:lists]
def print_lists(net):
    for name in ["trainable_weights", "non_trainable_weights", "weights"]:
        print(f"{name:22}", *[array.name for array in getattr(net, name)])


model = keras.Sequential(
    [
        keras.Input(shape=(3,)),
        keras.layers.Dense(2, use_bias=False),
        keras.layers.BatchNormalization(),
    ]
)
print_lists(model)
# --8<-- [end:lists]

# --8<-- [start:frozen]
model.layers[1].trainable = False
print_lists(model)
# --8<-- [end:frozen]

# --8<-- [start:frozen_call]
bn = model.layers[1]
inputs = x[:, :2]
for trainable in [False, True]:
    bn.trainable = trainable
    before = bn.get_weights()
    by_moving = bn(inputs, training=False)
    same = np.array_equal(bn(inputs, training=True), by_moving)
    kept = all(map(np.array_equal, before, bn.get_weights()))
    print(f"trainable={trainable}: same outputs {same}, arrays kept {kept}")
# --8<-- [end:frozen_call]
