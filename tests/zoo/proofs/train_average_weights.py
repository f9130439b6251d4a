"""Averages of weights, with statistics for them."""

import keras
import numpy as np
import pytest

from tests.zoo import compare
from tests.zoo.core import load, proof

SHOWS = {
    "train/average_weights.py": "build accuracy run small fit run_small contents which "
    "show Record stop scores follow_trainable step"
}


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


@proof("train/average_weights.py:average")
def average(recipe, member):
    batches = batches_of(member)
    models = []
    for seed in (1, 2, 3):
        model = compare.compiled(member)
        x, y = member.data()
        keras.utils.set_random_seed(seed)
        model.fit(x, y, batch_size=member.batch_size, epochs=1, verbose=0)
        models.append(model)
    before = [compare.state(model) for model in models]
    arrays = [[v.numpy() for v in model.weights] for model in models]
    last = recipe["average"](models, batches)
    assert last is models[-1]
    for model, state in zip(models[:-1], before, strict=False):
        assert not compare.changed(state, compare.state(model))
    for variable, *of_all in zip(last.weights, *arrays, strict=True):
        if of_all[0].dtype.kind != "f":
            np.testing.assert_array_equal(variable, of_all[-1])
        elif not variable.name.startswith("moving_"):
            np.testing.assert_allclose(variable, np.mean(of_all, axis=0), 1e-5, 1e-6)
    frozen = [v for n in compare.norms_of(last) if not n.trainable for v in n.weights]
    now = compare.state(last)
    changed = compare.changed(before[-1], now)
    assert not [k for k in changed if any(k.endswith(v.path) for v in frozen)]
    thawed = [n for n in compare.norms_of(last) if n.trainable]
    for layer in thawed:
        for name in ("moving_mean", "moving_variance"):
            path = getattr(layer, name).path
            assert any(key.endswith(path) for key in changed), path
    # The statistics are those of the average.
    load("bn_tools.py:estimate_again")["estimate_again"](last, batches, thawed)
    assert not compare.changed(now, compare.state(last))
    # Models that are equal are their average, and nothing is estimated.
    same = [last, last]
    recipe["average"](same, batches)
    assert not compare.changed(now, compare.state(last))

    # What is frozen in the files is averaged as well.
    two = [member.build(), member.build()]
    for model, values in zip(two, arrays, strict=False):
        for variable, array in zip(model.weights, values, strict=True):
            variable.assign(array)
        model.trainable = False
    recipe["average"](two, batches)
    for variable, *of_two in zip(two[-1].weights, *arrays[:2], strict=True):
        if of_two[0].dtype.kind == "f" and not variable.name.startswith("moving_"):
            np.testing.assert_allclose(variable, np.mean(of_two, axis=0), 1e-5, 1e-6)
    assert not two[-1].trainable_variables

    # Models of another structure are refused.
    with pytest.raises(ValueError):
        recipe["average"]([last, keras.Sequential([keras.Input((2,))])], batches)


@proof("train/average_weights.py:follow")
def follow(recipe, member):
    student, _ = compare.trained(member, epochs=1)
    keras.utils.set_random_seed(5)
    teacher = member.build()
    for layer in compare.norms_of(teacher):
        layer.moving_mean.assign(layer.moving_mean + 1)
    of_student = compare.state(student)
    before = [np.asarray(v) for v in teacher.weights]
    state = compare.state(teacher)
    recipe["follow"](teacher, student, 0.75)
    assert not compare.changed(of_student, compare.state(student))
    for old, now, new in zip(before, teacher.weights, student.weights, strict=True):
        if old.dtype.kind != "f":
            np.testing.assert_array_equal(now, old)
            continue
        goal = 0.75 * old + 0.25 * np.asarray(new)
        np.testing.assert_allclose(now, goal, 1e-5, 1e-6)
    paths = {v.path for v in teacher.weights}
    moved = compare.changed(state, compare.state(teacher))
    assert all(key.partition(" ")[2] in paths for key in moved), moved
    # What is equal stays equal, to the bit.
    for now, new in zip(teacher.weights, student.weights, strict=True):
        now.assign(new)
    equal = compare.state(teacher)
    recipe["follow"](teacher, student, 0.9)
    assert not compare.changed(equal, compare.state(teacher))
    # A student of another structure is refused.
    with pytest.raises(ValueError):
        recipe["follow"](teacher, keras.Sequential([keras.Input((2,))]), 0.9)
