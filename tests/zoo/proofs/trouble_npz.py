"""Arrays by name: of one layer for another, and by keys that a file keeps."""

import keras
import numpy as np
import pytest

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {
    "trouble/npz/three_arrays.py": "built",
}


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


@proof("trouble/npz/variable_path.py:keyed")
def keyed(recipe, member):
    model, _ = compare.trained(member)
    inner = {
        id(variable)
        for layer in model.layers
        for part in layer._flatten_layers(include_self=False)
        for variable in part.weights
    }
    if inner:
        with pytest.raises(ValueError, match="has layers of its own") as refusal:
            recipe["keyed"](model)
        return refusal.value
    keys = recipe["keyed"](model)
    for variable, found in zip(model.weights, keys.values(), strict=True):
        assert variable is found
    model.save("whole.keras")
    np.savez("named.npz", **{key: v.numpy() for key, v in keys.items()})
    np.savez("outputs.npz", *compare.predictions(model, member.data()[0]))


@keyed.in_a_new_process
def keyed_elsewhere(recipe, member):
    model = keras.saving.load_model("whole.keras")
    keys = recipe["keyed"](model)
    with np.load("named.npz") as arrays:
        assert list(keys) == arrays.files
        for key, variable in keys.items():
            variable.assign(np.zeros(variable.shape))
            variable.assign(arrays[key])
    outputs = np.load("outputs.npz").values()
    found = compare.predictions(model, member.data()[0])
    for one, other in zip(found, outputs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
