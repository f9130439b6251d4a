"""What drops bad rows, and stops before a save."""

import os
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {"train/nan_and_inf.py": "run"}


def poison(member, row):
    """Return the member's data with one number of a row not finite, if it has one."""
    x, y = member.data()

    def poisoned(array):
        array = array.copy()
        if array.dtype.kind == "f":
            array[(row, *(0,) * (array.ndim - 1))] = np.inf
        return array

    return keras.tree.map_structure(poisoned, x), y


def has_numbers(member):
    """Return whether inputs are numbers, and not tokens."""
    return all(a.dtype.kind == "f" for a in keras.tree.flatten(member.data()[0]))


@proof("train/nan_and_inf.py:finite")
def finite(recipe, member):
    x, y = member.data()
    rows = len(keras.tree.flatten(y)[0])

    def kept(x, y):
        data = tf.data.Dataset.from_tensor_slices((x, y))
        filtered = data.filter(recipe["finite"])
        assert filtered.element_spec == data.element_spec
        return list(filtered)

    for row, right in zip(
        kept(x, y), tf.data.Dataset.from_tensor_slices((x, y)), strict=True
    ):
        for one, other in zip(
            tf.nest.flatten(row), tf.nest.flatten(right), strict=True
        ):
            np.testing.assert_array_equal(one, other)
    assert len(kept(*poison(member, 2))) == rows - has_numbers(member)
    for wrong in [np.nan, -np.inf]:
        weights = np.ones(rows, "float32")
        weights[5] = wrong  # a target, or a weight of its own
        assert len(kept(x, {"y": y, "other": weights})) == rows - 1
    # Inputs alone, as they are estimated from.
    alone = tf.data.Dataset.from_tensor_slices(poison(member, 2)[0])
    left = sum(1 for _ in alone.filter(lambda *row: recipe["finite"](*row)))
    assert left == rows - has_numbers(member)


class Break(keras.callbacks.Callback):
    """Break an array of the model after a batch, as a skipped batch does."""

    def __init__(self, epoch, batch, arrays):
        super().__init__()
        self.at, self.arrays = (epoch, batch), arrays

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            variable = self.arrays(self.model)
            variable.assign(np.full(variable.shape, np.nan))


@proof("train/nan_and_inf.py:StopIfBroken")
def stop_if_broken(recipe, member):
    tf.config.experimental.enable_op_determinism()
    x, y = member.data()

    def fit(model, *callbacks):
        keras.utils.set_random_seed(1)
        settings = {"batch_size": member.batch_size, "shuffle": False, "verbose": 0}
        return model.fit(x, y, epochs=2, callbacks=list(callbacks), **settings).history

    # A sound run is as it would be without it.
    model = compare.compiled(member)
    variables = [*model.variables, *model.optimizer.variables]
    start = [variable.numpy() for variable in variables]
    history = fit(model)
    sound = [variable.numpy() for variable in variables]
    for variable, array in zip(variables, start, strict=True):
        variable.assign(array)
    guards = [recipe["StopIfBroken"](), recipe["StopIfBroken"](every_batch=True)]
    assert fit(model, *guards) == history
    for variable, array in zip(variables, sound, strict=True):
        np.testing.assert_array_equal(variable, array)

    # It raises before anything is saved, whatever breaks.
    arrays = [
        lambda model: compare.norms_of(model)[-1].moving_variance,
        lambda model: model.trainable_variables[0],
        lambda model: model.optimizer.variables[-1],
    ]
    for every_batch in [False, True]:
        for find in arrays:
            saved = [
                keras.callbacks.ModelCheckpoint(
                    "epoch-{epoch}.weights.h5", save_weights_only=True
                ),
                keras.callbacks.ModelCheckpoint(
                    "batch.weights.h5", save_weights_only=True, save_freq=1
                ),
            ]
            guard = recipe["StopIfBroken"](every_batch=every_batch)
            breaks = Break(1, 0, find)
            try:
                fit(model, breaks, guard, *saved[: 1 + every_batch])
            except RuntimeError as error:
                when = "batch 1" if every_batch else "epoch 2"
                assert str(error).startswith(f"after {when}: "), error
            else:
                raise AssertionError("went on")
            files = [name for name in os.listdir() if name.endswith(".h5")]
            right = {"epoch-1.weights.h5", *["batch.weights.h5"] * every_batch}
            assert set(files) == right, files
            for name in files:
                model.load_weights(name)
                for variable in variables:
                    assert np.isfinite(compare._array(variable)).all(), name
                Path(name).unlink()
            for variable, array in zip(variables, sound, strict=True):
                variable.assign(array)
