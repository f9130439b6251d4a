"""A copy that is the same in all, or an error."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {"save/copies.py": "of_optimizers optimizers_in predictions_equal Block"}


def assert_same(one, other):
    """Assert that all of two models is equal; names of arrays may be others.

    Without arrays, a layer's ``trainable`` has no effect, and Keras does not keep that
    of an ``InputLayer``.
    """
    layers = enumerate(compare.layers_of(one))
    bare = {f"{i} {layer.name}.trainable" for i, layer in layers if not layer.variables}
    states = compare.state(one), compare.state(other)
    for (key, value), (_, same) in zip(*(s.items() for s in states), strict=True):
        if key not in bare:
            np.testing.assert_array_equal(value, same, err_msg=key)
    kinds = [[type(e) for e in compare.layers_of(m)] for m in (one, other)]
    assert kinds[0] == kinds[1]


@proof("save/copies.py:copy_of")
def copy_of(recipe, member):
    tf.config.experimental.enable_op_determinism()
    x, y = member.data()
    rows = keras.tree.map_structure(lambda array: array[:8], x)
    untrained = member.build()
    assert_same(untrained, recipe["copy_of"](untrained, rows))

    model, _ = compare.trained(member, epochs=1)
    before = compare.state(model)
    twin = recipe["copy_of"](model, rows)
    assert not compare.changed(before, compare.state(model))
    assert_same(model, twin)
    compare.assert_same_predictions(model, twin, x)
    theirs = {id(variable) for variable in twin.variables}
    assert not theirs & {id(variable) for variable in model.variables}

    # The copy is trained as the original would be, masks included, and alone.
    settings = {"batch_size": member.batch_size, "verbose": 0, "shuffle": False}
    history = twin.fit(x, y, **settings).history
    assert not compare.changed(before, compare.state(model))
    assert history == model.fit(x, y, **settings).history
    assert_same(model, twin)

    # A flag that a file does not keep is not lost without an error.
    layer = compare.norms_of(model)[-1]
    layer.trainable = not layer.trainable
    model.compile(member.optimizer(), member.loss)
    model.optimizer.build(model.trainable_variables)
    try:
        twin = recipe["copy_of"](model, rows)
    except ValueError as error:
        assert str(error).startswith("the copy is not the same: ["), error
        assert "trainab" in str(error), error
        assert {"custom", "subclassed"} & member.traits
    else:
        assert_same(model, twin)

    # Without the exclusion, the same optimizer is copied; what it excludes from weight
    # decay is lost, and it says so. Without arrays, it is refused for that.
    for excluded in [[], ["gamma", "beta"]]:
        optimizer = keras.optimizers.AdamW(0.01)
        if excluded:
            optimizer.exclude_from_weight_decay(var_names=excluded)
        model.compile(optimizer, member.loss)
        with pytest.raises(ValueError, match="not trained yet"):
            recipe["copy_of"](model, rows)
        model.optimizer.build(model.trainable_variables)
        if not excluded and not {"custom", "subclassed"} & member.traits:
            assert_same(model, recipe["copy_of"](model, rows))
    with pytest.raises(ValueError, match="the optimizers differ"):
        recipe["copy_of"](model, rows)
