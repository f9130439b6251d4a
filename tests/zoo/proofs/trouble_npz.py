"""Arrays of one layer for another, only where they have the same names."""

import keras
import numpy as np

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {"trouble/npz/three_arrays.py": "built"}


@proof("trouble/npz/three_arrays.py:set_checked")
def set_checked(recipe, member):
    source, target = member.build(), member.build()
    source_norms, norms = compare.norms_of(source), compare.norms_of(target)
    random = np.random.default_rng(1)
    for i, (layer, other) in enumerate(zip(source_norms, norms, strict=True)):
        layer.set_weights([random.uniform(1, 2, w.shape) for w in layer.weights])
        before = compare.state(target)
        recipe["set_checked"](other, layer)
        for one, same in zip(layer.weights, other.weights, strict=True):
            np.testing.assert_array_equal(one, same)
        moved = compare.changed(before, compare.state(target))
        assert len(moved) == len(layer.weights), i

        # The same number of arrays, of the same shapes, with other names.
        for wrong in [{"scale": False}, {"center": False}]:
            config = {**other.get_config(), "scale": True, "center": True, **wrong}
            less = keras.layers.BatchNormalization.from_config(config)
            shape = [None] * 4
            shape[other.axis if isinstance(other.axis, int) else -1] = (
                other.moving_mean.shape[0]
            )
            less.build(tuple(shape))
            if [w.name for w in less.weights] == [w.name for w in other.weights]:
                continue
            kept = less.get_weights()
            try:
                recipe["set_checked"](less, layer)
            except ValueError:
                assert all(map(np.array_equal, kept, less.get_weights()))
            else:
                raise AssertionError("took arrays of another name")
