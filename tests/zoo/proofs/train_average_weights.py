"""Averages of weights, with statistics for them."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.zoo import compare
from tests.zoo.core import load, proof

SHOWS = {"train/average_weights.py": "build accuracy run"}


def batches_of(member):
    """Return the member's inputs in batches, the last one smaller."""
    x, y = member.data()
    rows = len(keras.tree.flatten(y)[0])
    return [
        keras.tree.map_structure(lambda a, s=start: a[s : s + member.batch_size], x)
        for start in range(0, rows, member.batch_size)
    ]


def averaging(member):
    """Return an optimizer that keeps averages."""
    return member.optimizer(use_ema=True, ema_momentum=0.8)


def fit(model, member, *callbacks):
    x, y = member.data()
    keras.utils.set_random_seed(1)
    history = model.fit(
        x,
        y,
        batch_size=member.batch_size,
        epochs=2,
        shuffle=False,
        callbacks=callbacks,
        verbose=0,
    )
    return history.history


class Look(keras.callbacks.Callback):
    """Takes down the model's state at the end of each epoch, but not the step's."""

    def __init__(self):
        super().__init__()
        self.states = []

    def on_epoch_end(self, epoch, logs=None):
        self.states.append(compare.state(self.model))


@proof("train/average_weights.py:SaveAverages")
def save_averages(recipe, member):
    batches = batches_of(member)
    kind = recipe["SaveAverages"]

    # Inputs that an epoch would not read as batches, or not to the end.
    rows = tf.data.Dataset.from_tensor_slices(member.data()[0]).batch(16)
    one = keras.tree.flatten(member.data()[0])[0]
    for path, wrong, words in [
        ("averages.h5", batches, "does not end in .keras"),
        ("averages.keras", one, "one array"),
        ("averages.keras", iter(batches), "a generator is empty"),
        ("averages.keras", rows.repeat(), "never ends"),
    ]:
        with pytest.raises(ValueError, match=words):
            kind(path, wrong)
    kind(Path("averages.keras"), rows)

    # Without averages in the optimizer it refuses, before the first step.
    plain = compare.compiled(member)
    before = compare.state(plain)
    with pytest.raises(ValueError, match="use_ema"):
        fit(plain, member, kind("no-{epoch}.keras", batches))
    now = compare.state(plain)
    assert not [k for k in compare.changed(before, now) if "optimizer" not in k]

    # The run is the same with it and without it: history, arrays, flags, optimizer.
    without = compare.compiled(member, optimizer=averaging(member))
    expected = fit(without, member)
    around = [Look(), Look()]
    model = compare.compiled(member, optimizer=averaging(member))
    callback = kind("averages-{epoch}.keras", batches)
    history = fit(model, member, around[0], callback, around[1])
    for one, other in zip(*(look.states for look in around), strict=True):
        assert not compare.changed(one, other), compare.changed(one, other)
    compare.assert_same_history(history, expected)
    # By position: names count on from model to model.
    states = compare.state(without).items(), compare.state(model).values()
    for (key, value), other in zip(*states, strict=True):
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            np.testing.assert_allclose(other, value, 1e-4, 1e-5, err_msg=key)
        else:
            assert np.all(other == value), key

    # fit has written the averages of the last epoch into the model. The file holds
    # them, with statistics of their own where the training moved any.
    moved = [layer for layer in compare.norms_of(model) if layer.trainable]
    load("bn_tools.py:estimate_again")["estimate_again"](model, batches, moved)
    np.savez(
        "expected.npz",
        *[v.numpy() for v in model.weights],
        *compare.predictions(model, member.data()[0]),
    )

    # Statistics that have not moved are not estimated.
    callback.on_epoch_begin(0)
    before = compare.state(model)
    callback.path = "still.keras"
    callback.on_epoch_end(0)
    assert not compare.changed(before, compare.state(model))
    still = keras.saving.load_model("still.keras").weights
    for variable, array in zip(model.weights, still, strict=True):
        if variable.name.startswith("moving_"):
            np.testing.assert_array_equal(variable, array)

    # Interrupted while it writes, the earlier file stays.
    def interrupt(store):
        raise KeyboardInterrupt

    earlier, last = Path("still.keras").read_bytes(), model.layers[-1]
    last.save_own_variables = interrupt
    with pytest.raises(KeyboardInterrupt):
        callback.on_epoch_end(0)
    del last.save_own_variables
    assert Path("still.keras").read_bytes() == earlier
    assert not compare.changed(before, compare.state(model))

    # A file that cannot be written leaves the model as it was.
    callback.path = "no such folder/averages-{epoch}.keras"
    callback.on_epoch_begin(0)
    for layer in compare.norms_of(model):
        layer.moving_mean.assign(layer.moving_mean + 1)
    before = compare.state(model)
    with pytest.raises(OSError):
        callback.on_epoch_end(0)
    assert not compare.changed(before, compare.state(model))


@save_averages.in_a_new_process
def save_averages_elsewhere(recipe, member):
    expected = np.load("expected.npz")
    loaded = keras.saving.load_model("averages-2.keras")
    assert loaded.optimizer is not None
    outputs = compare.predictions(loaded, member.data()[0])
    arrays = [v.numpy() for v in loaded.weights] + outputs
    assert len(arrays) == len(expected.files)
    for i, array in enumerate(arrays):
        tolerance = 1e-5 if i < len(loaded.weights) else 2e-2
        np.testing.assert_allclose(
            array, expected[f"arr_{i}"], tolerance, tolerance, err_msg=str(i)
        )
