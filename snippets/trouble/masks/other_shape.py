# --8<-- [start:setup]
import keras
import numpy as np

rng = np.random.default_rng(0)
# 64 sentences of 6 words of 5 letters; 0 is padding.
letters = rng.integers(1, 20, (64, 6, 5))
letters[:, :, 3:] = 0
letters[:, 4:] = 0


def build(*between, mask_zero=True):
    h = inputs = keras.Input(shape=(6, 5))
    h = keras.layers.Embedding(20, 4, mask_zero=mask_zero)(h)
    h = keras.layers.TimeDistributed(keras.layers.LSTM(3), name="words")(h)
    for layer in between:
        h = layer(h)
    bn = keras.layers.BatchNormalization(momentum=0.0, name="bn")
    return keras.Model(inputs, bn(h))


# --8<-- [end:setup]

# --8<-- [start:see]
for mask_zero in [False, True]:
    try:
        build(mask_zero=mask_zero)(letters, training=True)
        print("without a mask: no error")
    except ValueError as error:
        said = str(error).split("\x1b[1m")[1].split("\x1b")[0]
        print("with a mask:", *f"ValueError: {said}".split(". "), sep="\n")
# --8<-- [end:see]


# --8<-- [start:fix]
@keras.saving.register_keras_serializable(package="masks")
class MaskOfSteps(keras.layers.Layer):
    """Masks a step of (batch, time, ...) if no part of it counts."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs):
        return keras.ops.add(inputs, 0)  # a new tensor, without a mask

    def compute_mask(self, inputs, previous_mask=None):
        if previous_mask is None:
            return None
        mask = previous_mask
        if len(mask.shape) > 2:
            mask = keras.ops.any(mask, axis=tuple(range(2, len(mask.shape))))
        for _ in inputs.shape[2:-1]:
            mask = keras.ops.expand_dims(mask, -1)
        return keras.ops.logical_and(mask, keras.ops.ones_like(inputs[..., 0]))


model = build(MaskOfSteps())
model(letters, training=True)
# --8<-- [end:fix]


# --8<-- [start:sure]
def moving_mean(model):
    return np.asarray(model.get_layer("bn").moving_mean)


words = keras.Model(model.inputs, model.get_layer("words").output)(letters)
words = np.asarray(words)
print(
    "words only:   ", np.allclose(moving_mean(model), words[:, :4].mean((0, 1)))
)
print("padding, too: ", np.allclose(moving_mean(model), words.mean((0, 1))))
model.save("words.keras")
loaded = keras.saving.load_model("words.keras")
np.testing.assert_array_equal(moving_mean(loaded), moving_mean(model))
# --8<-- [end:sure]

# --8<-- [start:frames]
import keras
import numpy as np

x = np.random.default_rng(0).normal(5, 3, (64, 6, 4, 2)).astype("float32")
kept = np.ones((64, 6), bool)
kept[:, 4:] = False
masks = {
    "(64, 6, 1)": kept[:, :, None],
    "(64, 6, 4)": kept[:, :, None].repeat(4, 2),
}
for shape, mask in masks.items():
    bn = keras.layers.BatchNormalization(momentum=0.0)
    bn(x, training=True, mask=keras.ops.convert_to_tensor(mask))
    ratio = np.asarray(bn.moving_mean) / x[kept].mean((0, 1))
    print(f"mask {shape}: mean is {ratio.mean():.2f} times the right one")
# --8<-- [end:frames]
