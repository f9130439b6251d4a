"""A test_step of one's own that validates, and changes nothing."""

import keras
import numpy as np

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {"trouble/training_mode/test_step.py": "Net validate LeakyTest"}


def with_step(model, step):
    """Give a model that is built already a test_step."""
    kind = type(model)
    methods = {"test_step": step}
    object.__setattr__(model, "__class__", type(kind.__name__, (kind,), methods))
    return model


def given(model, arrays):
    """Give a model these arrays, and return it."""
    for variable, array in zip(model.variables, arrays, strict=True):
        variable.assign(array)
    return model


@proof("trouble/training_mode/test_step.py:RightTest")
def right_test(recipe, member):
    plain, _ = compare.trained(member)
    arrays = [v.numpy() for v in plain.variables]
    model = given(compare.compiled(member, built=False), arrays)
    with_step(model, recipe["RightTest"].test_step)
    size = member.batch_size
    x, y = keras.tree.map_structure(lambda array: array[:size], member.data())
    weights = [compare._array(v) for v in model.weights]
    before = compare.state(model)
    settings = {"batch_size": size, "verbose": 0, "return_dict": True}
    found = model.evaluate(x, y, **settings)
    assert list(found) == ["own_loss"]
    expected = plain.evaluate(x, y, **settings)["loss"]
    np.testing.assert_allclose(found["own_loss"], expected, rtol=1e-3)
    moved = compare.changed(before, compare.state(model))
    # What is reported is kept in a metric; all that a save holds is as before.
    assert all("loss" in key for key in moved), moved
    for old, now in zip(weights, model.weights, strict=True):
        np.testing.assert_array_equal(old, compare._array(now))

    # With targets that tell nothing, the same: nothing is learned from them.
    other = keras.tree.map_structure(np.zeros_like, y)
    model.evaluate(x, other, **settings)
    for old, now in zip(weights, model.weights, strict=True):
        np.testing.assert_array_equal(old, compare._array(now))

    # Validation in fit reports it under its name, and changes nothing of training.
    for each in (plain, model):
        each.compile(keras.optimizers.SGD(0.01), member.loss)
        given(each, arrays)
    keras.utils.set_random_seed(1)
    fit = {"batch_size": size, "verbose": 0, "shuffle": False}
    history = model.fit(x, y, **fit, validation_data=(x, y)).history
    keras.utils.set_random_seed(1)
    without = plain.fit(x, y, **fit).history
    assert set(history) == {"loss", "val_own_loss"} | (set(without) - {"loss"})
    for key, values in without.items():
        np.testing.assert_allclose(history[key], values, rtol=1e-4, err_msg=key)
    for one, two in zip(plain.weights, model.weights, strict=True):
        one, two = compare._array(one), compare._array(two)
        np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-3)
    expected = plain.evaluate(x, y, **settings)["loss"]
    np.testing.assert_allclose(history["val_own_loss"], expected, rtol=2e-2)
