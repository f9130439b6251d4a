"""The step of a loop, and its check."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {"train/custom_loop.py": "Net make_model outputs_of"}
LOSSES = {
    "sparse_categorical_crossentropy": keras.losses.SparseCategoricalCrossentropy,
    "binary_crossentropy": keras.losses.BinaryCrossentropy,
    "mean_squared_error": keras.losses.MeanSquaredError,
}


def loss_of(member):
    """Return the member's loss as a loop takes it."""
    if isinstance(member.loss, str):
        return LOSSES[member.loss]()
    parts = {name: LOSSES[loss]() for name, loss in member.loss.items()}
    return lambda y, outputs, weight: sum(
        part(y[name], outputs[name], weight) for name, part in parts.items()
    )


def batches(member):
    """Return the member's data in batches, the last one smaller."""
    dataset = tf.data.Dataset.from_tensor_slices(member.data())
    return dataset.batch(member.batch_size)


def optimizer_of(member, model):
    """Return an optimizer as ``compile`` would make it."""
    half = member.policy == "mixed_float16"
    kind = keras.optimizers.LossScaleOptimizer if half else lambda optimizer: optimizer
    return kind(member.optimizer())


def trained(recipe, member, epochs=2):
    """Return a model, its optimizer and its losses per epoch, from a loop."""
    keras.utils.set_random_seed(0)
    model = member.build()
    optimizer = optimizer_of(member, model)
    step = recipe["make_train_step"](model, optimizer, loss_of(member))
    keras.utils.set_random_seed(1)
    mean, losses = keras.metrics.Mean(), []
    for _ in range(epochs):
        mean.reset_state()
        for x, y in batches(member):
            mean.update_state(step(x, y), len(keras.tree.flatten(y)[0]))
        losses.append(float(mean.result()))
    return model, optimizer, losses


@proof("train/custom_loop.py:make_train_step")
def make_train_step(recipe, member):
    if member.policy == "mixed_float16":
        with pytest.raises(ValueError, match="LossScaleOptimizer"):
            recipe["make_train_step"](member.build(), keras.optimizers.Adam(), None)
    model, optimizer, losses = trained(recipe, member)
    fitted, history = compare.trained(member)
    tolerance = 1e-2 if "mixed" in member.traits else 2e-3
    np.testing.assert_allclose(losses, history["loss"], tolerance)
    assert int(optimizer.iterations) == int(fitted.optimizer.iterations)
    assert type(optimizer) is type(fitted.optimizer)
    untrained = compare.compiled(member)
    nets = [untrained, model, fitted]
    for before, array, right in zip(*(net.variables for net in nets), strict=True):
        # Adam takes whole steps where a gradient is all but 0, so rounding may move
        # an array by a few steps of 0.001.
        array, right = (np.asarray(v).astype("float32") for v in (array, right))
        np.testing.assert_allclose(array, right, 0.02, 0.02, err_msg=before.path)
        before = np.asarray(before).astype("float32")
        moved = [not np.array_equal(before, after) for after in (array, right)]
        assert moved[0] == moved[1], f"moved in one of both: {right}"


@proof("train/custom_loop.py:check_moved")
def check_moved(recipe, member):
    keras.utils.set_random_seed(0)
    model = member.build()
    before = recipe["moving"](model)
    assert len(before) == sum(layer.trainable for layer in compare.norms_of(model))
    x, _ = member.data()
    for training in [False, True]:
        model(x, training=training)
        try:
            recipe["check_moved"](before, model)
        except RuntimeError as error:
            assert not training, error
            paths = [layer.moving_mean.path.rpartition("/")[0] for layer in before]
            assert str(error) == f"statistics did not move: {paths}"
        else:
            assert training, "it did not notice"


@proof("train/custom_loop.py:moving")
def moving(recipe, member):
    model = member.build()
    found = recipe["moving"](model)
    norms = [layer for layer in compare.norms_of(model) if layer.trainable]
    assert {id(layer) for layer in found} == {id(layer) for layer in norms}
    for layer, (mean, variance) in found.items():
        np.testing.assert_array_equal(layer.moving_mean, mean)
        np.testing.assert_array_equal(layer.moving_variance, variance)
