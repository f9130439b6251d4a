# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
lengths = np.random.randint(2, 9, size=64)
valid = np.arange(10) < lengths[:, None]
x = np.random.normal(5, 3, size=(64, 10, 2)).astype("float32")
x[~valid] = 0  # padded at the end


def counted(mean, h):
    if np.allclose(mean, h[valid].mean(axis=0), rtol=1e-3, atol=1e-3):
        return "valid steps"
    if np.allclose(mean, h.mean(axis=(0, 1)), rtol=1e-3, atol=1e-3):
        return "padding, too"
    return "something else"


def train_on(h):
    layer = keras.layers.BatchNormalization(momentum=0.0)
    layer(keras.layers.Masking()(h), training=True)
    return counted(layer.moving_mean, h)


# --8<-- [end:setup]

# --8<-- [start:see]
standardized = (x - 5) / 3  # the padding is now -5 / 3
print("raw:         ", train_on(x))
print("standardized:", train_on(standardized))
# --8<-- [end:see]

# --8<-- [start:fix]
padded_last = np.where(valid[..., None], standardized, 0)
print("padded last: ", train_on(padded_last))
# --8<-- [end:fix]

# --8<-- [start:sure]
for name, h in {
    "standardized": standardized,
    "padded last": padded_last,
}.items():
    found = np.asarray(keras.layers.Masking().compute_mask(h))
    print(f"{name}: as many as padded: {np.sum(~found) == np.sum(~valid)}")
# --8<-- [end:sure]
