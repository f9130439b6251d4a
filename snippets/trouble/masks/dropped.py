# --8<-- [start:setup]
import warnings

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


class Double(keras.layers.Layer):
    def call(self, h):
        return 2 * h


def try_between(name, between):
    inputs = keras.Input(shape=(10, 2))
    layer = keras.layers.BatchNormalization(momentum=0.0)
    with warnings.catch_warnings(record=True, action="always") as caught:
        h = between(keras.layers.Masking()(inputs))
        net = keras.Model(inputs, [h, layer(h)])
        h, _ = net(x, training=True)
    found = [str(w.message) for w in caught]
    messages = [text for text in found if "destroy the mask" in text]
    print(
        f"{name:15} {counted(layer.moving_mean, h.numpy()):13}",
        len(messages) > 0,
    )
    return messages


# --8<-- [end:setup]

# --8<-- [start:see]
print("                counted       warned")
try_between("Dense", keras.layers.Dense(3))
try_between("ReLU", keras.layers.ReLU())
try_between("LSTM", keras.layers.LSTM(3, return_sequences=True))
messages = try_between("Conv1D", keras.layers.Conv1D(3, 3, padding="same"))
try_between("layer of yours", Double())
try_between("h + Dense(h)", lambda h: h + keras.layers.Dense(2)(h))
try_between("keras.ops.tanh", keras.ops.tanh)
try_between("Sequential", keras.Sequential([keras.layers.Dense(3)]))
print("UserWarning:", messages[0])
# --8<-- [end:see]


# --8<-- [start:fix]
class MaskedDouble(Double):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True


try_between("layer of yours", MaskedDouble())
try_between(
    "h + Dense(h)",
    lambda h: keras.layers.Add()([h, keras.layers.Dense(2)(h)]),
)
try_between("keras.ops.tanh", keras.layers.Activation("tanh"))
# --8<-- [end:fix]

# --8<-- [start:conv]
inputs = keras.Input(shape=(10, 2))
mask = keras.ops.any(keras.ops.not_equal(inputs, 0), axis=-1)
h = keras.layers.Conv1D(3, 3, padding="same")(inputs)
layer = keras.layers.BatchNormalization(momentum=0.0, name="bn")
net = keras.Model(inputs, [h, layer(h, mask=mask)])
# --8<-- [end:conv]

# --8<-- [start:sure]
net.save("conv.keras")
loaded = keras.saving.load_model("conv.keras")
for name, which in {"built": net, "loaded": loaded}.items():
    h, _ = which(x, training=True)
    print(f"{name}:", counted(which.get_layer("bn").moving_mean, h.numpy()))
# --8<-- [end:sure]
