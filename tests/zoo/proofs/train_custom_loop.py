"""The step of a loop, its check, and the checkpoint that holds all arrays."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {
    "train/custom_loop.py": "Net make_model outputs_of equal Chain Block dense bn "
    "sequential arrays_of lost frozen losses_of by_global"
}

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


def checkpoint_and_restore(recipe, member):
    """Save after two epochs; restore in this process into a model of other arrays."""
    model, optimizer, _ = trained(recipe, member)
    path = recipe["checkpoint_of"](model, optimizer).save("checkpoints/net")
    np.savez(
        "expected.npz",
        *[np.asarray(v).astype("float32") for v in model.variables],
        *[np.asarray(v).astype("float32") for v in optimizer.variables],
    )
    outputs = compare.predictions(model, member.data()[0])
    np.savez("outputs.npz", *outputs)
    check_restored(recipe, member)

    # What does not fit is refused.
    other = member.build()
    flags = [layer for layer in compare.norms_of(other) if layer.trainable]
    if len(flags) > 1:
        flags[0].trainable = False
        with pytest.raises(
            (ValueError, AssertionError, tf.errors.InvalidArgumentError)
        ):
            recipe["restore"](
                recipe["checkpoint_of"](other, optimizer_of(member, other)), path
            )
    with pytest.raises(AssertionError):
        recipe["restore"](recipe["checkpoint_of"](member.build()), None)


def check_restored(recipe, member):
    """Restore into a new model and compare all of it; then without the optimizer."""
    path = tf.train.latest_checkpoint("checkpoints")
    keras.utils.set_random_seed(5)
    model = member.build()
    optimizer = optimizer_of(member, model)
    recipe["restore"](recipe["checkpoint_of"](model, optimizer), path)
    alone = member.build()
    recipe["restore"](recipe["checkpoint_of"](alone), path)
    expected = np.load("expected.npz")
    arrays = [*model.variables, *optimizer.variables]
    assert len(arrays) == len(expected.files)
    for i, array in enumerate(arrays):
        saved = expected[f"arr_{i}"]
        np.testing.assert_array_equal(np.asarray(array).astype("float32"), saved)
    outputs = np.load("outputs.npz")
    for net in [model, alone]:
        for i, output in enumerate(compare.predictions(net, member.data()[0])):
            np.testing.assert_allclose(output, outputs[f"arr_{i}"], 1e-5, 1e-5)


@proof("train/custom_loop.py:checkpoint_of")
def checkpoint_of(recipe, member):
    checkpoint_and_restore(recipe, member)


@checkpoint_of.in_a_new_process
def checkpoint_of_elsewhere(recipe, member):
    check_restored(recipe, member)


@proof("train/custom_loop.py:restore")
def restore(recipe, member):
    checkpoint_and_restore(recipe, member)


@restore.in_a_new_process
def restore_elsewhere(recipe, member):
    check_restored(recipe, member)
