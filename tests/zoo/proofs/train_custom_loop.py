"""The step of a loop, its check, and the checkpoint that holds all arrays."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.zoo import compare, members
from tests.zoo.core import proof

SHOWS = {
    "train/custom_loop.py": "Net make_model outputs_of equal Chain Block dense bn "
    "sequential arrays_of lost frozen named losses_of by_global"
}


class HeadFirst(members.ResNet):
    """The same names of attributes, created in another order."""

    def __init__(self, **kwargs):
        keras.Model.__init__(self, **kwargs)
        self.head = keras.layers.Dense(3, activation="softmax")
        block = members.ResidualBlock
        self.stages = [[block(8), block(8)], [block(16), block(16)]]


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

    # What does not fit is refused, before an array is changed.
    other = member.build()
    refused(recipe, recipe["checkpoint_of"](other), None, FileNotFoundError)
    layer = compare.norms_of(other)[-1]
    layer.trainable = not layer.trainable
    learning = [len(net.trainable_variables) for net in (model, other)]
    if learning[0] != learning[1]:
        checkpoint = recipe["checkpoint_of"](other, optimizer_of(member, other))
        refused(recipe, checkpoint, path, ValueError, "other layers were frozen")
        # For predictions, the flags do not matter.
        recipe["restore"](recipe["checkpoint_of"](other), path)
    # What was saved without the optimizer cannot be resumed.
    alone = recipe["checkpoint_of"](model).save("alone/net")
    other = member.build()
    checkpoint = recipe["checkpoint_of"](other, optimizer_of(member, other))
    refused(recipe, checkpoint, alone, ValueError, "optimizer is NoneType")
    # Nor with an optimizer that has as many arrays, of the same shapes.
    adam = isinstance(member.optimizer(), keras.optimizers.Adam)
    kind = keras.optimizers.Adamax if adam else keras.optimizers.RMSprop
    optimizer = kind()
    if "mixed_float16" in member.policy:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    checkpoint = recipe["checkpoint_of"](other, optimizer)
    refused(recipe, checkpoint, path, ValueError, "the file's optimizer is")
    small = keras.Sequential([keras.Input((2,)), keras.layers.BatchNormalization()])
    for optimizer in [None, optimizer_of(member, small)]:
        checkpoint = recipe["checkpoint_of"](small, optimizer)
        refused(recipe, checkpoint, path, ValueError, "arrays, .* in the file")
    if member.name.startswith("ResNet class"):
        other = HeadFirst()
        other(member.data()[0][:1])
        for optimizer in [None, optimizer_of(member, other)]:
            kinds = (ValueError, AssertionError, tf.errors.OpError)
            with pytest.raises(kinds):
                recipe["restore"](recipe["checkpoint_of"](other, optimizer), path)
    another_order(recipe)


def refused(recipe, checkpoint, path, kind, words=None):
    """Assert that restoring raises, and changes no array."""
    before = [compare._array(variable) for variable in checkpoint.arrays]
    with pytest.raises(kind, match=words):
        recipe["restore"](checkpoint, path)
    after = [compare._array(variable) for variable in checkpoint.arrays]
    assert all(map(np.array_equal, before, after))


class TwoNorms(keras.Model):
    """Two layers of the same shape, created in one order or the other."""

    def __init__(self, order):
        super().__init__()
        for name in order:
            setattr(self, name, keras.layers.BatchNormalization())

    def call(self, x, training=False):
        return self.b(self.a(x, training=training), training=training)


def another_order(recipe):
    """Assert that layers of one shape in another order are noticed by name."""
    nets = [TwoNorms("ab"), TwoNorms("ba")]
    for net in nets:
        net(np.zeros((1, 2), "float32"))
        for i, variable in enumerate(net.variables):
            variable.assign(np.full(2, i + 1.0))
    for optimizer in [lambda: None, keras.optimizers.Adam]:
        saved = recipe["checkpoint_of"](nets[0], keras.optimizers.Adam())
        path = saved.save("order/net")
        with pytest.raises(ValueError, match="another order"):
            recipe["restore"](recipe["checkpoint_of"](nets[1], optimizer()), path)


def other_values(member):
    """Return the member's model with ones in its arrays, adapted to other data."""
    model = member.build()
    for layer in compare.layers_of(model):
        if isinstance(layer, keras.layers.Normalization):
            layer.adapt(10 * member.data()[0])
    for weight in model.weights:
        weight.assign(keras.ops.ones_like(weight))
    return model


def check_restored(recipe, member):
    """Restore into a new model and compare all of it; then without the optimizer."""
    path = tf.train.latest_checkpoint("checkpoints")
    model = other_values(member)
    optimizer = optimizer_of(member, model)
    recipe["restore"](recipe["checkpoint_of"](model, optimizer), path)
    alone = other_values(member)
    if "normalization" in member.traits:
        alone.predict(member.data()[0], verbose=0)  # traced with other values
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
    if "normalization" in member.traits:
        predicted = alone.predict(member.data()[0], verbose=0)
        np.testing.assert_allclose(predicted, outputs["arr_0"], 1e-4, 1e-4)


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
