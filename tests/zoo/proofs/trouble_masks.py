"""The layer that brings a mask to one entry a step; the other traps of masks show."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.zoo import compare
from tests.zoo.core import NotFor, proof

SHOWS = {
    "trouble/masks/axis_1.py": "make_model",
    "trouble/masks/behind.py": "padding ZeroPadding",
    "trouble/masks/dropped.py": "counted Double try_between MaskedDouble",
    "trouble/masks/h5.py": "make_model",
    "trouble/masks/not_found.py": "counted train_on",
    "trouble/masks/only_padding.py": "train_on",
    "trouble/masks/other_shape.py": "build moving_mean",
    "trouble/masks/renorm.py": "make_model",
    "trouble/masks/rnn_cell.py": "Cell mean_of_ones MaskedCell with_mask",
    "trouble/masks/shared.py": "gaps",
    "trouble/masks/time_distributed.py": "Cell gap mean_of_ones",
}


@proof("trouble/masks/only_padding.py:has_steps")
def has_steps(recipe, member):
    x, _ = member.data()
    if isinstance(x, dict):
        with pytest.raises((TypeError, ValueError)):
            recipe["has_steps"](x)
        return
    rows = np.stack([x[:2], np.full_like(x[:2], recipe["MASK_VALUE"]), x[2:4]])
    for parts in [(rows,), (rows, np.zeros(3)), (rows, np.zeros(3), np.zeros(3))]:
        data = tf.data.Dataset.from_tensor_slices(parts if parts[1:] else rows)
        kept = [
            b if len(parts) == 1 else b[0] for b in data.filter(recipe["has_steps"])
        ]
        assert len(kept) == 2
        np.testing.assert_array_equal(kept[1], rows[2])


@proof("trouble/masks/other_shape.py:MaskOfSteps")
def mask_of_steps(recipe, member):
    x, _ = member.data()
    if isinstance(x, dict):
        raise NotFor("the layer has one input")
    layer = recipe["MaskOfSteps"]()
    # Without a mask, or with one of steps, nothing changes.
    model = member.build()
    kind = {"dtype": "int32"} if "masks" in member.traits else {}
    inputs = keras.Input(x.shape[1:], **kind)
    through = keras.Model(inputs, model(layer(inputs)))
    compare.assert_same_predictions(model, through, x, 1e-5)
    assert layer.compute_mask(keras.ops.convert_to_tensor(x), None) is None
    steps = np.random.default_rng(0).random(x.shape[:2]) < 0.6
    wide = keras.ops.convert_to_tensor(np.ones((*x.shape[:2], 5), "float32"))
    kept = layer.compute_mask(wide, keras.ops.convert_to_tensor(steps))
    np.testing.assert_array_equal(kept, steps)

    # Of a mask for each part of a step, with and without places behind the steps.
    parts = np.random.default_rng(1).random((*x.shape[:2], 4)) < 0.3
    places = np.random.default_rng(2).normal(5, 3, (*x.shape[:2], 3, 2))
    for values in [places[:, :, 0], places]:
        values = values.astype("float32")
        masked = layer.compute_mask(
            keras.ops.convert_to_tensor(values), keras.ops.convert_to_tensor(parts)
        )
        expected = np.zeros(values.shape[:-1], bool)
        for i, j in np.ndindex(expected.shape[:2]):
            expected[i, j] = parts[i, j].any()
        np.testing.assert_array_equal(masked, expected)
        norm = keras.layers.BatchNormalization(momentum=0.0, dtype="float32")
        norm(values, training=True, mask=masked)
        counted = values[expected]
        np.testing.assert_allclose(norm.moving_mean, counted.mean(0), rtol=1e-4)
        np.testing.assert_allclose(norm.moving_variance, counted.var(0), rtol=1e-3)

    # A file keeps it; and in a model, a mask of pixels becomes one of rows.
    if x.ndim == 4:
        x = x.copy()
        x[::2, 1:] = 0
        with pytest.raises(ValueError, match="one dimension less than the inputs"):
            of_rows(inputs)(x, training=True)
        through = of_rows(inputs, recipe["MaskOfSteps"]())
        through(x, training=True)
        counted = x.mean(2)[(x != 0).any((2, 3))]
        for name, right in [("mean", counted.mean(0)), ("variance", counted.var(0))]:
            found = getattr(through.layers[-1], f"moving_{name}")
            np.testing.assert_allclose(found, right, rtol=2e-2, atol=2e-3)
    through.save("masked.keras")
    np.savez("masked.npz", x, *compare.predictions(through, x))


def of_rows(inputs, *between):
    """Return a model that normalizes the means of the rows of images, without 0."""
    h = keras.layers.Masking()(inputs)
    h = keras.layers.TimeDistributed(keras.layers.GlobalAveragePooling1D())(h)
    for layer in between:
        h = layer(h)
    norm = keras.layers.BatchNormalization(momentum=0.0, dtype="float32")
    return keras.Model(inputs, norm(h))


@mask_of_steps.in_a_new_process
def mask_of_steps_elsewhere(recipe, member):
    loaded = keras.saving.load_model("masked.keras")
    x, *expected = np.load("masked.npz").values()
    for output, right in zip(compare.predictions(loaded, x), expected, strict=True):
        np.testing.assert_allclose(output, right, rtol=1e-4, atol=1e-5)
