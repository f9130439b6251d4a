"""The list of statistics that never moved."""

import keras
import numpy as np
import pytest

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {"understand/moving_statistics.py": "run gaps after_459_steps"}


@proof("understand/moving_statistics.py:never_moved")
def never_moved(recipe, member):
    new = member.build()
    untouched = [
        layer
        for layer in compare.norms_of(new)
        if not np.any(layer.moving_mean) and np.all(layer.moving_variance == 1)
    ]
    found = recipe["never_moved"](new)
    assert len(found) == 2 * len(untouched) > 0

    model, _ = compare.trained(member)
    before = compare.state(model)
    assert recipe["never_moved"](model) == []
    layer = compare.norms_of(model)[-1]
    layer.moving_mean.assign(np.zeros(layer.moving_mean.shape))
    assert recipe["never_moved"](model) == [layer.moving_mean.path]
    layer.moving_variance.assign(np.ones(layer.moving_variance.shape))
    assert set(recipe["never_moved"](model)) == {
        layer.moving_mean.path,
        layer.moving_variance.path,
    }
    moved = compare.changed(before, compare.state(model))
    assert len(moved) == 2, "looking changed the model"

    never_called = keras.Sequential([keras.layers.BatchNormalization()])
    with pytest.raises(ValueError, match="no arrays yet"):
        recipe["never_moved"](never_called)
