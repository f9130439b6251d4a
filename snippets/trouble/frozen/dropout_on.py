# --8<-- [start:see]
import keras
import numpy as np


def calls_equal(layer):
    images = np.random.default_rng(0).normal(size=(4, 32, 32, 3))
    first, second = (layer(images, training=True) for _ in range(2))
    return np.array_equal(first, second)


def frozen(build):
    base = build(input_shape=(32, 32, 3), include_top=False, weights=None)
    base.trainable = False
    return base


bases = {
    "MobileNet": frozen(keras.applications.MobileNet),
    "EfficientNetB0": frozen(keras.applications.EfficientNetB0),
}
for name, base in bases.items():
    dropouts = sum(isinstance(e, keras.layers.Dropout) for e in base.layers)
    print(f"{name:14} Dropout layers: {dropouts}", end="  ")
    print("two calls equal:", calls_equal(base))


# --8<-- [end:see]


# --8<-- [start:fix]
@keras.saving.register_keras_serializable(package="fine_tune")
class InferenceMode(keras.layers.Wrapper):
    """Calls a base in inference mode, whatever mode its model is in."""

    def __init__(self, layer, **kwargs):
        # The base has dtype policies of its own, so nothing is cast for it.
        super().__init__(layer, autocast=False, **kwargs)
        self.mode = keras.layers.Dropout(0.0, autocast=False)

    def call(self, inputs, training=None):
        outputs = self.layer(inputs, training=False)
        # Drops nothing. Called with the mode of the model, it hands that on:
        # in a class, layers without an argument take the mode of the last call.
        return self.mode(outputs, training=training)


base = InferenceMode(bases["EfficientNetB0"])
print("InferenceMode(EfficientNetB0), two calls equal:", calls_equal(base))
# --8<-- [end:fix]

# --8<-- [start:sure]
from bn_tools import batch_norms

x = np.random.default_rng(0).normal(5, 3, (100, 4)).astype("float32")


def small_base():
    inputs = keras.Input(shape=(4,))
    h = keras.layers.Dense(4)(inputs)
    h = keras.layers.BatchNormalization()(h)
    return keras.Model(inputs, keras.layers.Dropout(0.5)(h))


def row(name, layer, base, **arguments):
    inputs = keras.Input(shape=(4,))
    outputs = keras.layers.Dense(1)(layer(inputs, **arguments))
    model = keras.Model(inputs, outputs)
    model.compile(optimizer="sgd", loss="mse", run_eagerly=True)
    before = {v.name: v.numpy() for v in base.variables}
    model.fit(x, np.zeros((100, 1)), batch_size=100, verbose=0)
    moved = {
        v.name: "kept" if np.array_equal(before[v.name], v) else "moved"
        for v in base.variables
    }
    assert moved["gamma"] == moved["beta"]
    assert moved["moving_mean"] == moved["moving_variance"]
    first, second = (model(x, training=True) for _ in range(2))
    dropout = "off" if np.allclose(first, second, atol=1e-5) else "on"
    print(
        f"{name:32} {moved['kernel']:7} {moved['gamma']:12} "
        f"{moved['moving_mean']:11} {dropout}"
    )


print(f"{'':32} kernel  gamma, beta  statistics  Dropout")
base = small_base()
row("base(x)", base, base)
base = small_base()
row("base(x, training=False)", base, base, training=False)
base = small_base()
base.trainable = False
row("base.trainable = False", base, base)
base = small_base()
for layer in batch_norms(base):
    layer.trainable = False
row("each BatchNormalization frozen", base, base)
base = small_base()
row("InferenceMode(base)", InferenceMode(base), base)
base = small_base()
base.trainable = False
row("InferenceMode(base), base frozen", InferenceMode(base), base)
# --8<-- [end:sure]
