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
