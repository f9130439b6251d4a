# --8<-- [start:setup]
import keras
import numpy as np
from bn_tools import batch_norms, estimate_again

keras.utils.set_random_seed(0)
x_old = np.random.normal(0, 1, size=(1000, 4)).astype("float32")
y = np.abs(x_old[:, 0]) > 0.67
x_new = 5 + 2 * x_old  # a brighter scanner with more contrast

inputs = keras.Input(shape=(4,))
h = keras.layers.BatchNormalization(name="bn1")(inputs)
h = keras.layers.Dense(64)(h)
h = keras.layers.BatchNormalization(name="bn2")(h)
base = keras.Model(inputs, keras.layers.ReLU()(h), name="base")
estimate_again(base, [x_old])


def features(x):
    outputs = base.predict(x, verbose=0)
    return np.hstack([outputs, np.ones((len(x), 1))])


def trained_head(x):
    return np.linalg.lstsq(features(x)[:500], y[:500], rcond=None)[0]


def score(head, x):
    """Return the accuracy on the held-out half of some images."""
    return np.mean((features(x)[500:] @ head > 0.5) == y[500:])


# --8<-- [end:setup]

# --8<-- [start:see]
old_head = trained_head(x_old)
print("old images, above 0.8:", score(old_head, x_old) > 0.8)
print("new images, above 0.8:", score(trained_head(x_new), x_new) > 0.8)
# --8<-- [end:see]


# --8<-- [start:shift]
def shift(base, batches):
    """Return how far the moving statistics are from those of some images.

    Args:
        base: A model that has its arrays. It is left as it was.
        batches: As for ``estimate_again``: ``[images]``, or a dataset.

    Returns:
        A dict: for each BatchNormalization layer, by its path, the distance of
        the means in standard deviations and the ratio of the standard
        deviations, medians over the channels. A perfect fit is (0, 1).
    """
    layers = batch_norms(base)
    arrays = [(bn.moving_mean, bn.moving_variance) for bn in layers]
    old = [[array.numpy() for array in pair] for pair in arrays]
    try:
        paths = estimate_again(base, batches, layers)
        new = [[array.numpy() for array in pair] for pair in arrays]
    finally:  # also after Ctrl-C
        for pair, values in zip(arrays, old, strict=True):
            pair[0].assign(values[0])
            pair[1].assign(values[1])
    found = {}
    for path, bn, was, now in zip(paths, layers, old, new, strict=True):
        deviation = np.sqrt(was[1] + bn.epsilon)
        distance = np.abs(now[0] - was[0]) / deviation
        ratio = np.sqrt(now[1] + bn.epsilon) / deviation
        if path in found:  # two towers may have layers of the same names
            path = f"{path}, layer {len(found)}"
        found[path] = float(np.median(distance)), float(np.median(ratio))
    return found


# --8<-- [end:shift]

# --8<-- [start:fix]
before = base.get_weights()
for name, images in {"old": x_old, "new": x_new}.items():
    for path, (distance, ratio) in shift(base, [images]).items():
        fits = distance < 0.5 and 0.5 < ratio < 2
        print(f"{name} images, {path}: {'fits' if fits else 'does not fit'}")
kept = all(map(np.array_equal, before, base.get_weights()))
print("the base is left as it was:", kept)

estimate_again(base, [x_new[:500]], layers=batch_norms(base))
# --8<-- [end:fix]

# --8<-- [start:sure]
print("new images, above 0.8:", score(trained_head(x_new), x_new) > 0.8)
print("old images, above 0.8:", score(old_head, x_old) > 0.8)
# --8<-- [end:sure]
