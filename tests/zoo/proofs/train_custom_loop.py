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


class RowLoss(keras.layers.Layer):
    """Adds a loss for each row, as an activity regularizer of one's own may do."""

    def call(self, inputs):
        each = keras.ops.reshape(inputs, (keras.ops.shape(inputs)[0], -1))
        self.add_loss(0.1 * keras.ops.mean(keras.ops.square(each), axis=1))
        return inputs


def with_row_loss(member):
    """Return the member's model with another loss on each of its outputs."""
    model = member.build()
    inputs = keras.tree.map_structure(
        lambda a: keras.Input(a.shape[1:], dtype="int32" if a.dtype == int else None),
        member.data()[0],
    )
    outputs = model(inputs)
    return keras.Model(
        inputs, keras.tree.map_structure(RowLoss(dtype="float32"), outputs)
    )


def added_losses_count(recipe, member):
    """Assert that a batch with losses of layers does what train_on_batch does."""
    x, y = next(iter(batches(member)))
    losses, models = [], []
    for own in [True, False]:
        keras.utils.set_random_seed(0)
        model = with_row_loss(member)
        # Steps of momentum are as large as the gradient, unlike those of Adam.
        model.compile(keras.optimizers.SGD(0.01), member.loss)
        if own:
            kind = keras.optimizers.LossScaleOptimizer
            half = member.policy == "mixed_float16"
            optimizer = kind(model.optimizer) if half else model.optimizer
            step = recipe["make_train_step"](model, optimizer, loss_of(member))
            losses.append(float(step(x, y)))
        else:
            losses.append(float(np.ravel(model.train_on_batch(x, y))[0]))
        models.append(model)
    tolerance = 1e-2 if "mixed" in member.traits else 1e-3
    np.testing.assert_allclose(*losses, tolerance)
    for one, right in zip(*(model.variables for model in models), strict=True):
        one, right = (np.asarray(v).astype("float32") for v in (one, right))
        np.testing.assert_allclose(one, right, tolerance, tolerance)


def refuses(recipe, member):
    """Assert that it refuses a loss per row, and several devices."""
    x, y = next(iter(batches(member)))
    model = member.build()
    arrays = model.get_weights()

    def per_row(targets, outputs, weight):
        return keras.ops.ones(3)

    step = recipe["make_train_step"](model, optimizer_of(member, model), per_row)
    with pytest.raises(ValueError, match="one number per batch"):
        step(x, y)
    assert all(map(np.array_equal, arrays, model.get_weights()))

    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        model = member.build()
        optimizer = optimizer_of(member, model)
        step = recipe["make_train_step"](model, optimizer, loss_of(member))
        with pytest.raises(NotImplementedError, match="one device only"):
            tf.function(lambda: strategy.run(step, args=(x, y)))()


def averages_are_put_in(recipe, member):
    """Assert that the line of the page ends the loop as ``fit`` ends, with use_ema."""
    models, data = [], batches(member).take(2)
    for own in [True, False]:
        keras.utils.set_random_seed(0)
        model = member.build()
        # Averages that end far from the arrays, after two steps.
        kind = keras.optimizers.SGD(0.01, use_ema=True, ema_momentum=0.9)
        if member.policy == "mixed_float16":
            kind = keras.optimizers.LossScaleOptimizer(kind, initial_scale=8)
        model.compile(kind, member.loss)
        keras.utils.set_random_seed(1)
        if own:
            step = recipe["make_train_step"](model, model.optimizer, loss_of(member))
            for x, y in data:
                step(x, y)
            trained = [v.numpy() for v in model.trainable_variables]
            model.optimizer.finalize_variable_values(model.trainable_variables)
            arrays = zip(trained, model.trainable_variables, strict=True)
            assert not all(np.array_equal(*pair) for pair in arrays)
        else:
            model.fit(data, shuffle=False, verbose=0)
        models.append(model)
    tolerance = 1e-2 if "mixed" in member.traits else 1e-3
    for one, right in zip(*(model.variables for model in models), strict=True):
        one, right = (np.asarray(v).astype("float32") for v in (one, right))
        np.testing.assert_allclose(one, right, tolerance, tolerance)


@proof("train/custom_loop.py:make_train_step")
def make_train_step(recipe, member):
    cpu = tf.config.list_physical_devices("CPU")[0]
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, two)
    added_losses_count(recipe, member)
    refuses(recipe, member)
    averages_are_put_in(recipe, member)
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
