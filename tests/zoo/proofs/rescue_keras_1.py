"""Files in the layout of Keras 1, of members whose arrays had a name in it.

Keras 1 builds no member: these files are composed of the members' arrays. Those that
Keras 1.0.5 and 1.2.2 wrote themselves are on the page.
"""

import json

import h5py
import numpy as np

from tests.zoo import compare
from tests.zoo.core import NotFor, proof

# The first two are parts of it.
SHOWS = {"rescue/keras_1.py": "read_keras_1 flat build_model"}
THEN = {
    "kernel": "W",
    "bias": "b",
    "gamma": "gamma",
    "beta": "beta",
    "moving_mean": "running_mean",
    "moving_variance": "running_std",
}


def keras_1_file(path, layers, std=False, mode=0, left_out=()):
    """Write layers as `save` of Keras 1 does, ``running_std`` as either quantity."""
    with h5py.File(path, "w") as file:
        norms = [layer for layer in layers if hasattr(layer, "moving_mean")]
        config = [{"config": {"name": n.name, "mode": mode}} for n in norms]
        file.attrs["keras_version"] = b"1.2.2"
        file.attrs["model_config"] = json.dumps({"config": config}).encode()
        top = file.create_group("model_weights")
        top.attrs["layer_names"] = np.array([n.name for n in layers], "S99")
        for layer in layers:
            group, names = top.require_group(layer.name), []
            for weight in layer.weights:
                array = compare._array(weight)
                if std and weight.name == "moving_variance":
                    array = np.sqrt(array + layer.epsilon) - layer.epsilon
                if weight.name not in left_out:
                    names.append(f"{layer.name}_{THEN[weight.name]}:0")
                    if names[-1] not in group:
                        group[names[-1]] = array
            group.attrs["weight_names"] = np.array(names, "S99")


def refuses(call, model, *arguments):
    """Return what a recipe says as it refuses, and changes nothing."""
    before = compare.state(model)
    try:
        call(*arguments)
    except ValueError as error:
        assert not compare.changed(before, compare.state(model))
        return str(error)
    raise AssertionError("it did not refuse")


@proof("rescue/keras_1.py:load_keras_1")
def load_keras_1(recipe, member):
    model, _ = compare.trained(member, epochs=1)
    layers = [layer for layer in compare.layers_of(model) if layer._trainable_variables]
    layers += [layer for layer in compare.norms_of(model) if layer not in layers]
    known = {id(w) for layer in layers for w in layer.weights if w.name in THEN}
    if "custom" in member.traits or any(id(w) not in known for w in model.weights):
        raise NotFor("has arrays that had no name in Keras 1")
    keras_1_file("variance.h5", layers)
    keras_1_file("std.h5", layers, std=True)
    load = recipe["load_keras_1"]
    x = member.data()[0]
    if any(hasattr(layer, "layer") for layer in model.layers):
        new = named_as(model, compare.other(member))
        said = refuses(load, new, "std.h5", new, "std")
        assert said.startswith("not in both"), said
        return "not in both, for the layers in a wrapper"
    for kind in ("variance", "std"):
        new = named_as(model, compare.other(member))
        load(f"{kind}.h5", new, kind)
        for one, other in zip(new.weights, model.weights, strict=True):
            # A standard deviation was squared, which rounds.
            rounded = kind == "std" and one.name == "moving_variance"
            tolerance = 1e-5 if rounded else 0
            one, other = compare._array(one), compare._array(other)
            np.testing.assert_allclose(one, other, tolerance, tolerance)
        tolerance = 1e-2 if "mixed" in member.traits else 1e-4
        compare.assert_same_predictions(
            new, model, x, 0 if kind == "variance" else tolerance
        )

    new = named_as(model, compare.other(member))
    said = refuses(load, new, "std.h5", new, None)
    assert "neither" in said, said
    for mode in (1, 2):
        keras_1_file("mode.h5", layers, mode=mode)
        said = refuses(load, new, "mode.h5", new, "variance")
        assert said == f'a layer of today has no "mode": {mode}', said
    keras_1_file("less.h5", layers, left_out=("moving_mean",))
    said = refuses(load, new, "less.h5", new, "variance")
    assert "in the file" in said, said
    keras_1_file("twice.h5", [*layers, layers[0]])
    said = refuses(load, new, "twice.h5", new, "variance")
    assert said.startswith("twice in the file"), said
    leaves = [n for n in compare.layers_of(new) if n._trainable_variables]
    one, other = leaves[-2:]
    name, one.name = one.name, other.name
    said = refuses(load, new, "variance.h5", new, "variance")
    assert said.startswith("two layers of the model"), said
    one.name = name
    keras_1_file("fewer.h5", layers[1:])
    said = refuses(load, new, "fewer.h5", new, "variance")
    assert said.startswith("not in both"), said


def named_as(model, new):
    """Give the layers of a model the names of another one, as a reader types them."""
    pairs = zip(compare.layers_of(new), compare.layers_of(model), strict=True)
    for layer, same in pairs:
        layer.name = same.name
    return new
