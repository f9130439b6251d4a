"""What a checkpoint holds, by position and by name, and what is refused."""

import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {
    "trouble/checkpoint/another_order.py": "Net built report",
    "trouble/checkpoint/in_list.py": "Net with_random_arrays assert_and_count",
    "trouble/checkpoint/not_built.py": "Chain Block Late arrays_of lost",
    "trouble/checkpoint/path.py": "build restored_from",
}


def varied(member, seed, compiled=True):
    """Return the member's model with other values in all arrays and counts.

    What a Normalization layer holds comes from the member's data, as in its code.
    """
    model = compare.compiled(member) if compiled else member.build()
    random = np.random.default_rng(seed)
    kind = keras.layers.Normalization
    kept = [layer for layer in compare.layers_of(model) if isinstance(layer, kind)]
    kept = {id(variable) for layer in kept for variable in layer.variables}
    for variable in arrays_in(model):
        if id(variable) in kept:
            continue
        array = compare._array(variable)
        if array.dtype.kind in "iu":
            variable.assign(random.integers(2, 99, array.shape))
        elif array.dtype.kind == "f":
            factor = random.uniform(0.5, 1.5, array.shape)
            variable.assign(array * factor + random.uniform(0.001, 0.01, array.shape))
    return model


def arrays_in(model):
    """Return all variables of a model, and of its optimizer if it has one."""
    optimizer = getattr(model, "optimizer", None)
    return [*model.variables, *(optimizer.variables if optimizer else [])]


def arrays_of(model):
    return [compare._array(variable) for variable in arrays_in(model)]


def equal(arrays, others):
    """Return, for each pair of arrays, whether they are equal."""
    pairs = zip(arrays, others, strict=True)
    return [np.array_equal(one, other) for one, other in pairs]


def saved_by_both(member):
    """Save a model by position and by name, as the page does."""
    model = varied(member, 1, compiled=False)
    checkpoint = tf.train.Checkpoint(model=model, arrays=model.variables)
    return model, checkpoint, checkpoint.save("both/net")


def refused(function, model, path, words):
    """Assert that a function refuses a model and leaves it as it was."""
    before = compare.state(model)
    with pytest.raises(ValueError, match=words):
        function(model, path)
    assert not compare.changed(before, compare.state(model))


class Branches(keras.Model):
    """Two of a member's models as attributes, created in one order or the other."""

    def __init__(self, member, order):
        super().__init__()
        for i, name in enumerate(order):
            setattr(self, name, varied(member, 10 + i, compiled=False))

    def call(self, x, training=False):
        one = keras.tree.flatten(self.a(x, training=training))
        two = keras.tree.flatten(self.b(x, training=training))
        return [3 * a + b for a, b in zip(one, two, strict=True)]


@proof("trouble/checkpoint/another_order.py:by_name")
def by_name(recipe, member):
    x, _ = member.data()
    model, _, path = saved_by_both(member)
    compiled = compare.compiled(member)
    refused(recipe["by_name"], compiled, path, "go by position: restore, then compile")
    loaded = varied(member, 2, compiled=False)
    if "lists" in member.traits:
        refused(recipe["by_name"], loaded, path, "2 of 50 arrays have a name")
        return "2 of 50 arrays have a name"
    unbuilt = keras.Sequential([keras.layers.BatchNormalization()])
    with pytest.raises(ValueError, match="0 of 0 arrays have a name"):
        recipe["by_name"](unbuilt, path)
    recipe["by_name"](loaded, path)
    assert all(equal(model.get_weights(), loaded.get_weights()))
    compare.assert_same_predictions(model, loaded, x)

    # The member twice, in the other order.
    right, wrong, path = _exchanged(member, x)
    assert not all(equal(right.a.get_weights(), wrong.a.get_weights()))
    recipe["by_name"](wrong, path)
    for name in "ab":
        branches = [getattr(net, name).get_weights() for net in (right, wrong)]
        assert all(equal(*branches)), name
    compare.assert_same_predictions(right, wrong, x)

    # A file of another model, or no file's path.
    other = keras.Sequential([keras.Input((5,)), keras.layers.Dense(7)])
    with pytest.raises((AssertionError, ValueError)):
        recipe["by_name"](other, path)


def _exchanged(member, x):
    """Return a net that was saved, and one of another order restored by position."""
    right = Branches(member, "ab")
    right(x)
    checkpoint = tf.train.Checkpoint(model=right, arrays=right.variables)
    path = checkpoint.save("branches/net")
    wrong = Branches(member, "ba")
    wrong(x)
    checkpoint = tf.train.Checkpoint(model=wrong, arrays=wrong.variables)
    checkpoint.restore(path).assert_consumed()
    return right, wrong, path


@proof("trouble/checkpoint/another_order.py:same_order")
def same_order(recipe, member):
    x, _ = member.data()
    _, _, path = saved_by_both(member)
    loaded = varied(member, 2, compiled=False)
    both = tf.train.Checkpoint(model=loaded, arrays=loaded.variables)
    both.restore(path).assert_consumed()
    if "lists" in member.traits:
        refused(recipe["same_order"], loaded, path, "2 of 50 arrays have a name")
        return "2 of 50 arrays have a name"
    before = compare.state(loaded)
    assert recipe["same_order"](loaded, path)
    assert not compare.changed(before, compare.state(loaded))
    compiled = compare.compiled(member)
    refused(recipe["same_order"], compiled, path, "go by position")
    _, wrong, path = _exchanged(member, x)
    assert not recipe["same_order"](wrong, path)
    assert recipe["same_order"](wrong, path)  # by name it is right now


@proof("trouble/checkpoint/in_list.py:in_file")
def in_file(recipe, member):
    def containers(model):
        layers = [layer for layer in model.layers if layer.weights]
        yield "list", layers
        yield "dict", {f"at_{i}": layer for i, layer in enumerate(layers)}
        yield "tuple", tuple(layers)
        yield "list in a tuple", (layers,)
        yield "tuple in a list", [tuple(layers)]

    # Two models that differ in all arrays: one goes into a file, and back into another.
    models = [varied(member, seed, compiled=False) for seed in (1, 2)]
    before = compare.state(models[0])
    every = len(models[0].variables)
    for (kind, one), (_, other) in zip(*map(containers, models), strict=True):
        counts = recipe["in_file"](one), recipe["in_file"](one, arrays=True)
        holders = []
        for container in (one, other):
            holders.append(keras.Model())
            holders[-1].blocks = container
        arrays = [compare._array(variable) for variable in models[1].variables]
        path = tf.train.Checkpoint(model=holders[0]).save(f"{kind}/net")
        tf.train.Checkpoint(model=holders[1]).restore(path)
        restored = sum(equal(models[0].variables, models[1].variables))
        same = sum(equal(models[0].variables, arrays))  # of Normalization
        assert counts[1] == len(holders[0].variables), kind
        if kind == "tuple":
            assert 0 < counts[0] <= restored <= counts[0] + same, kind
        else:
            assert (counts[0], restored) == (0, same), kind
        for variable, array in zip(models[1].variables, arrays, strict=True):
            variable.assign(array)
        assert every >= counts[1] > 0
    assert not compare.changed(before, compare.state(models[0]))


class Parts(keras.Model):
    """Layers one after the other, which have no arrays before the first call."""

    def __init__(self, parts):
        super().__init__()
        self.parts = parts

    def call(self, x):
        for part in self.parts:
            x = part(x)
        return x


@proof("trouble/checkpoint/not_built.py:assert_built")
def assert_built(recipe, member):
    model = varied(member, 1)
    before = compare.state(model)
    recipe["assert_built"](model)
    assert not compare.changed(before, compare.state(model))
    model.save("model.keras")
    recipe["assert_built"](keras.saving.load_model("model.keras"))

    # The same layers, made anew and in a list, where none has its arrays.
    kind = (keras.layers.InputLayer, keras.layers.Normalization)
    layers = [layer for layer in model.layers if not isinstance(layer, kind)]
    with_arrays = [layer for layer in layers if layer.weights]
    parts = [type(each).from_config(each.get_config()) for each in with_arrays]
    unbuilt = Parts(parts)
    late = [type(part).__name__ for part in parts if not part.weights]
    with pytest.raises(ValueError, match="call the model once") as raised:
        recipe["assert_built"](unbuilt)
    named = str(raised.value)
    assert "'Parts'" in named
    assert all(repr(name) in named for name in late), named
    if "subclassed" not in member.traits:  # one layer among those that are built
        model.forgotten = [keras.layers.BatchNormalization()]
        with pytest.raises(ValueError, match=r"in: \['BatchNormalization'\]"):
            recipe["assert_built"](model)
    else:
        whole = type(model)()
        with pytest.raises(ValueError, match="'ResNet'.*'ResidualBlock'"):
            recipe["assert_built"](whole)
        whole(member.data()[0][:1])
        recipe["assert_built"](whole)


@proof("trouble/checkpoint/path.py:latest")
def latest(recipe, member):
    model = varied(member, 1)
    checkpoint = tf.train.Checkpoint(model=model, arrays=model.variables)
    manager = tf.train.CheckpointManager(checkpoint, "saved", max_to_keep=2)
    for _ in range(3):
        manager.save()
        assert recipe["latest"]("saved") == manager.latest_checkpoint
    assert recipe["latest"]("saved").endswith("-3")
    shutil.copytree("saved", "moved")
    assert recipe["latest"]("moved") == "moved/ckpt-3"
    loaded = varied(member, 2)
    both = tf.train.Checkpoint(model=loaded, arrays=loaded.variables)
    both.restore(recipe["latest"]("moved")).assert_consumed()
    assert all(equal(arrays_of(model), arrays_of(loaded)))

    shutil.rmtree("moved")
    checkpoint.write("written/net")  # which keeps no list
    for place in ["saved/ckpt", "saved/ckpt-3", "moved", "written", "saved/checkpoint"]:
        with pytest.raises(FileNotFoundError) as raised:
            recipe["latest"](place)
        assert str(raised.value) == f"no checkpoint in {place}"
    for path in [*manager.checkpoints]:
        for suffix in ["index", "data-00000-of-00001"]:
            tf.io.gfile.remove(f"{path}.{suffix}")
    with pytest.raises(FileNotFoundError, match="no checkpoint in saved"):
        recipe["latest"]("saved")
