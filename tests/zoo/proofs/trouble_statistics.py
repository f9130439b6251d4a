"""Averages of models, and of a student's weights, with statistics for them."""

import keras
import numpy as np
import pytest

from tests.zoo import compare
from tests.zoo.core import load, proof

SHOWS = {
    "trouble/statistics/average_of_models.py": "good by_hand",
    "trouble/statistics/teacher.py": "build good train follow_trainable",
}


def batches_of(member):
    """Return the member's inputs in batches, the last one smaller."""
    x, y = member.data()
    rows = len(keras.tree.flatten(y)[0])
    return [
        keras.tree.map_structure(lambda a, s=start: a[s : s + member.batch_size], x)
        for start in range(0, rows, member.batch_size)
    ]


@proof("trouble/statistics/average_of_models.py:average")
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
    # After an error, the last model is no average yet.
    with pytest.raises(TypeError, match="a batch is a list"):
        recipe["average"](models, [[batches[0], None]])
    assert not compare.changed(before[-1], compare.state(models[-1]))
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


@proof("trouble/statistics/teacher.py:follow")
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
