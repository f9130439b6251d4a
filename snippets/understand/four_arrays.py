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

batch_mean = x.mean(axis=0)
batch_variance = x.var(axis=0)
normalized = (x - batch_mean) / np.sqrt(batch_variance + layer.epsilon)

# float32 holds about seven digits, and NumPy sums in another order.
tolerance = {"rtol": 1e-5, "atol": 1e-5}
np.testing.assert_allclose(
    layer(x, training=True), gamma * normalized + beta, **tolerance
)
print("training mode: equal to NumPy within 1e-5")
# --8<-- [end:training]

# --8<-- [start:update]
kept = layer.momentum
np.testing.assert_allclose(
    layer.moving_mean,
    kept * mean + (1 - kept) * batch_mean,
    **tolerance,
)
np.testing.assert_allclose(
    layer.moving_variance,
    kept * variance + (1 - kept) * batch_variance,
    **tolerance,
)
print("momentum:", kept)
print("both moving statistics took the step")
np.testing.assert_array_equal([gamma, beta], layer.get_weights()[:2])
print("gamma and beta did not change")
# --8<-- [end:update]

# --8<-- [start:inference]
before = layer.get_weights()
_, _, mean, variance = before
normalized = (x - mean) / np.sqrt(variance + layer.epsilon)
np.testing.assert_allclose(
    layer(x, training=False), gamma * normalized + beta, **tolerance
)
print("inference mode: equal to NumPy within 1e-5")

np.testing.assert_array_equal(before, layer.get_weights())
print("no array changed")
# --8<-- [end:inference]

# --8<-- [start:conv]
images = np.random.normal(5, 3, size=(4, 3, 3, 2)).astype("float32")
conv = keras.layers.BatchNormalization(momentum=0.0)
conv(images, training=True)

# With momentum 0 the moving statistics are those of the batch.
np.testing.assert_allclose(
    conv.moving_mean, images.mean(axis=(0, 1, 2)), **tolerance
)
np.testing.assert_allclose(
    conv.moving_variance, images.var(axis=(0, 1, 2)), **tolerance
)
print("one mean and one variance per channel")
# --8<-- [end:conv]

# --8<-- [start:biased]
for inputs in [x[:10], images]:
    fresh = keras.layers.BatchNormalization(momentum=0.0)
    fresh(inputs, training=True)
    axes = tuple(range(inputs.ndim - 1))
    for ddof in [0, 1]:
        expected = inputs.var(axis=axes, ddof=ddof)
        equal = np.allclose(fresh.moving_variance, expected, **tolerance)
        print(f"{inputs.ndim}-D inputs, divided by N - {ddof}: {equal}")
# --8<-- [end:biased]

# --8<-- [start:order]
names = ["gamma", "beta", "moving_mean", "moving_variance"]
for name, array in zip(names, layer.get_weights(), strict=True):
    np.testing.assert_array_equal(array, getattr(layer, name))
print([array.name for array in layer.weights])
# --8<-- [end:order]

# --8<-- [start:left_out]
for options in [
    {"center": False},
    {"scale": False},
    {"center": False, "scale": False},
    {"renorm": True},
]:
    other = keras.layers.BatchNormalization(**options)
    other.build((None, 3))
    print(options)
    print("   ", [array.name for array in other.weights])
# --8<-- [end:left_out]

# --8<-- [start:swap]
no_gamma = keras.layers.BatchNormalization(scale=False)
no_beta = keras.layers.BatchNormalization(center=False)
no_gamma.build((None, 3))
no_beta.build((None, 3))
no_gamma.beta.assign([7, 8, 9])

no_beta.set_weights(no_gamma.get_weights())
print("gamma:", no_beta.gamma.numpy())
# --8<-- [end:swap]


# --8<-- [start:checked]
def set_by_name(target, source):
    expected = [array.name for array in target.weights]
    found = [array.name for array in source.weights]
    if expected != found:
        raise ValueError(f"expected {expected}, found {found}")
    target.set_weights(source.get_weights())


try:
    set_by_name(no_beta, no_gamma)
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:checked]

# --8<-- [start:dtypes]
policies = [
    "float32",
    "mixed_float16",
    "mixed_bfloat16",
    "float16",
    "bfloat16",
]
for policy in policies:
    typed = keras.layers.BatchNormalization(dtype=policy)
    outputs = typed(x, training=True)
    arrays = {array.dtype for array in typed.weights}
    print(f"{policy:14} arrays {arrays}, outputs {outputs.dtype.name}")
# --8<-- [end:dtypes]

# --8<-- [start:stalled]
import tensorflow as tf

column = np.array([[2], [8]], dtype="float32")
true_mean, true_variance = column.mean(), column.var()
print("true mean", true_mean, "true variance", true_variance)

for policy in policies:
    typed = keras.layers.BatchNormalization(dtype=policy)
    step = tf.function(typed)
    for _ in range(1500):
        step(column, training=True)
    mean = float(keras.ops.cast(typed.moving_mean, "float32")[0])
    variance = float(keras.ops.cast(typed.moving_variance, "float32")[0])
    print(
        f"{policy:14} reached within 1%:",
        np.isclose(mean, true_mean, 0.01),
        np.isclose(variance, true_variance, 0.01),
    )
# --8<-- [end:stalled]


# --8<-- [start:lists]
def print_lists(net):
    for name in ["trainable_weights", "non_trainable_weights", "weights"]:
        print(f"{name:22}", [array.name for array in getattr(net, name)])


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
frozen = model.layers[1]
before = frozen.get_weights()
inputs = x[:, :2]
np.testing.assert_array_equal(
    frozen(inputs, training=True), frozen(inputs, training=False)
)
np.testing.assert_array_equal(before, frozen.get_weights())
print("training=True computes as training=False and changes nothing")
# --8<-- [end:frozen_call]
