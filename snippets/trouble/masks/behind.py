# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
lengths = np.random.randint(2, 9, size=64)
valid = np.arange(10) < lengths[:, None]
x = np.random.normal(5, 3, size=(64, 10, 2)).astype("float32")
x[~valid] = 0  # padded at the end


def padding(h):
    steps = np.unique(np.any(np.asarray(h)[~valid] != 0, axis=-1))
    return "other values" if steps.all() else "0"


# --8<-- [end:setup]

# --8<-- [start:see]
masked = keras.layers.Masking()(x)
layer = keras.layers.BatchNormalization(momentum=0.0)
h = layer(masked, training=True)
print("padded steps before:", padding(masked))
print("padded steps behind:", padding(h))

found = keras.layers.Masking().compute_mask(h)
print("a Masking layer finds them:", np.array_equal(found, valid))
# --8<-- [end:see]


# --8<-- [start:fix]
class ZeroPadding(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, h, mask=None):
        if mask is None:
            raise ValueError("no mask arrives here")
        return keras.ops.where(mask[..., None], h, 0)


# --8<-- [end:fix]

# --8<-- [start:sure]
inputs = keras.Input(shape=(10, 2))
h = keras.layers.Masking()(inputs)
h = keras.layers.BatchNormalization()(h)
net = keras.Model(inputs, [h, ZeroPadding()(h)])
for name, h in zip(["behind", "set back"], net(x, training=True)):
    found = keras.layers.Masking().compute_mask(h)
    print(f"{name:8}: {padding(h)}, found: {np.array_equal(found, valid)}")
# --8<-- [end:sure]
