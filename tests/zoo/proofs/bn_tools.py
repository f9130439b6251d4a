"""The tool file itself."""

import types
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {
    "bn_tools.py": "layers_in names_of broken_statistics _pooling _inputs _states "
    "_in_training _noting _facts _predictions _array"
}


def batches_of(member):
    """Return the member's inputs in batches, the last one smaller."""
    x, y = member.data()
    rows = len(keras.tree.flatten(y)[0])
    starts = range(0, rows, member.batch_size)
    return [
        keras.tree.map_structure(lambda a, s=start: a[s : s + member.batch_size], x)
        for start in starts
    ]


@proof("bn_tools.py:batch_norms")
def batch_norms(recipe, member):
    model = member.build()
    found = recipe["batch_norms"](model)
    assert {id(a) for a in found} == {id(a) for a in compare.norms_of(model)}
    arrays = [id(layer.moving_mean) for layer in found]
    in_weights = [id(v) for v in model.weights if v.name == "moving_mean"]
    assert arrays == in_weights, "not in the order of the weights"


@proof("bn_tools.py:of_this_keras")
def of_this_keras(recipe, member):
    model = member.build()
    recipe["of_this_keras"](model)
    recipe["of_this_keras"](recipe["batch_norms"](model)[0])
    # As a model of another Keras is: it has all, and is no layer of this one.
    other = types.SimpleNamespace(weights=model.weights, variables=model.variables)
    for name in ("of_this_keras", "batch_norms", "broken"):
        with pytest.raises(TypeError, match="SimpleNamespace: not a model or layer"):
            recipe[name](other)


@proof("bn_tools.py:same_names")
def same_names(recipe, member):
    model, again = member.build(), member.build()  # counted on, the second time
    old, new = ([w.path for w in net.weights] for net in (model, again))
    same = recipe["same_names"]
    assert same(old, new) and same(new, old)
    assert not same(old, new[:-1])
    # The same names in another order, here and in a model within another.
    for names in (old, new):
        moved = [*names[1:], names[0]]
        assert not same(old, moved) or len(set(names)) == 1
    assert same(old, [f"scope/{path}" for path in old])
    assert same(recipe["names_of"](model.weights), old)
    for one, other, right in [
        ("left right", "left right", True),
        ("left right", "right left", False),  # exchanged
        ("left right", "right z", False),  # renamed, and therefore exchanged
        ("tower_1 tower_2", "tower_1 tower_2", True),
        ("tower_1 tower_2", "tower_2 tower_1", False),
        ("tower tower_1", "tower_1 tower_2", True),  # the second of a process
    ]:
        for outer in ["net/", "net_1/"]:
            was = [f"net/{scope}/{path}" for scope in one.split() for path in old]
            now = [f"{outer}{scope}/{path}" for scope in other.split() for path in new]
            assert same(was, now) == right, (one, outer, other)
    np.save("names.npy", old)


@same_names.in_a_new_process
def same_names_elsewhere(recipe, member):
    names = [w.path for w in member.build().weights]
    assert recipe["same_names"](np.load("names.npy").tolist(), names)


@proof("bn_tools.py:estimate_again")
def estimate_again(recipe, member):
    model, _ = compare.trained(member)
    before = compare.state(model)
    batches = batches_of(member)
    norms = compare.norms_of(model)
    # Frozen layers keep their statistics, unless they are named.
    thawed = [layer for layer in norms if layer.trainable]
    try:
        paths = recipe["estimate_again"](model, batches)
    except ValueError as error:
        assert not thawed and "fit moves none" in str(error), error
        paths = []
    moved = compare.changed(before, compare.state(model))
    assert len(paths) == len(thawed) and len(moved) == 2 * len(thawed), moved
    paths = recipe["estimate_again"](model, batches, norms)
    assert len(paths) == len(norms)
    moved = compare.changed(before, compare.state(model))
    assert len(moved) == 2 * len(norms), moved
    assert all(key.endswith(("moving_mean", "moving_variance")) for key in moved)

    # The first layer that has a batch to itself: exactly the statistics of its inputs.
    seen = {}
    for layer in norms:
        seen[id(layer)] = []
        layer.call = _spy(layer.call, seen[id(layer)])
    for batch in batches:
        model(batch, training=False)
    for layer in norms:
        del layer.call
    first = min(norms, key=lambda layer: seen[id(layer)][0][0])
    values = np.concatenate([inputs for _, inputs in seen[id(first)]])
    np.testing.assert_allclose(
        first.moving_mean, values.mean(axis=0), rtol=1e-3, atol=1e-3
    )
    np.testing.assert_allclose(
        first.moving_variance, values.var(axis=0), rtol=2e-3, atol=1e-3
    )

    # However the batches come, and whatever leaves nothing to count between them.
    pooled = compare.state(model)
    nothing = keras.tree.map_structure(lambda array: array[:0], batches[0])
    for given in (Batches(batches), [nothing, *batches]):
        if given[0] is nothing and "nested" in member.traits:
            continue  # TensorFlow's convolutions on a CPU refuse a batch of no rows
        recipe["estimate_again"](model, given, norms)
        for key, array in compare.state(model).items():
            np.testing.assert_array_equal(array, pooled[key], err_msg=key)

    # In one batch, inference mode computes what training mode of these layers did.
    whole = member.data()[0]
    recipe["estimate_again"](model, [whole], norms)
    in_inference = compare.predictions(model, whole)
    again = compare.state(model)
    recipe["estimate_again"](model, [whole], norms)
    for one, other in zip(again.values(), compare.state(model).values(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert all(np.isfinite(array).all() for array in in_inference)

    # A failure leaves everything as it was.
    endless = tf.data.Dataset.from_tensors(whole).repeat()
    for bad in ([], [_poisoned(whole)], endless):
        before = compare.state(model)
        try:
            recipe["estimate_again"](model, bad, norms)
        except ValueError:
            assert not compare.changed(before, compare.state(model))
        else:
            tokens = "masks" in member.traits and bad is not endless
            assert tokens, "accepted what has no statistics"
    before = compare.state(model)
    with pytest.raises(TypeError, match=r"pass \(inputs,\) or"):
        recipe["estimate_again"](model, [[whole, whole]])
    assert not compare.changed(before, compare.state(model))
    without = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="the model has no BatchNormalization"):
        recipe["estimate_again"](without, [np.ones((4, 2))])


class Batches(keras.utils.PyDataset):
    """Batches with targets, as ``fit`` takes them."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, i):
        return self.batches[i], None


ORDER = iter(range(10**9))


def _spy(call, seen):
    def spying(inputs, training=None, mask=None):
        values = keras.ops.convert_to_numpy(inputs).astype("float64")
        rows = values.reshape(-1, values.shape[-1])
        if mask is not None:
            rows = rows[keras.ops.convert_to_numpy(mask).reshape(-1)]
        seen.append((next(ORDER), rows))
        return call(inputs, training=training, mask=mask)

    return spying


def _poisoned(x):
    """Return the inputs with one value that is not finite; tokens stay as they are."""

    def poison(array):
        array = array.copy()
        if array.dtype.kind == "f":
            array[(0,) * array.ndim] = np.inf
        return array

    return keras.tree.map_structure(poison, x)


@proof("bn_tools.py:broken")
def broken(recipe, member):
    model, _ = compare.trained(member)
    assert recipe["broken"](model) == []
    norms = compare.norms_of(model)
    for layer, name, value in [
        (norms[0], "moving_mean", np.nan),
        (norms[-1], "moving_variance", np.inf),
        (norms[-1], "moving_variance", -1.0),
        (norms[0], "moving_mean", -np.inf),
    ]:
        variable = getattr(layer, name)
        sound = variable.numpy()
        variable.assign(np.where(np.arange(sound.size) == 0, value, sound))
        found = recipe["broken"](model)
        assert found == [f"{variable.path}: 1 of {sound.size}"], found
        variable.assign(sound)
    weight = model.trainable_variables[0]
    sound = weight.numpy()
    weight.assign(np.full(sound.shape, np.nan))
    assert recipe["broken"](model) == [f"{weight.path}: {sound.size} of {sound.size}"]


@proof("bn_tools.py:repair")
def repair(recipe, member):
    model, _ = compare.trained(member)
    batches = batches_of(member)
    before = compare.state(model)
    assert recipe["repair"](model, batches) == []
    assert not compare.changed(before, compare.state(model))

    layer = compare.norms_of(model)[-1]
    layer.moving_mean.assign(np.full(layer.moving_mean.shape, np.nan))
    paths = recipe["repair"](model, batches)
    assert len(paths) == 1 and recipe["broken"](model) == []
    moved = compare.changed(before, compare.state(model))
    assert all(layer.name in key for key in moved), moved
    assert len(moved) <= 2

    weight = model.trainable_variables[0]
    weight.assign(np.full(weight.shape, np.nan))
    layer.moving_mean.assign(np.full(layer.moving_mean.shape, np.nan))
    before = compare.state(model)
    with pytest.raises(ValueError, match="older file"):
        recipe["repair"](model, batches)
    assert not compare.changed(before, compare.state(model))


def _interrupted(part, **arrays):
    Path(part).write_bytes(b"half")
    raise KeyboardInterrupt


def _some(x):
    return keras.tree.map_structure(lambda array: array[:8], x)


@proof("bn_tools.py:write_record")
def write_record(recipe, member):
    model, _ = compare.trained(member)
    before = compare.state(model)
    x = _some(member.data()[0])
    recipe["write_record"]("record.npz", model, x)
    assert not compare.changed(before, compare.state(model))
    assert recipe["compare"]("record.npz", model, atol=0) == []
    with (
        pytest.MonkeyPatch.context() as patch,
        pytest.raises(KeyboardInterrupt),
    ):  # while it writes
        patch.setattr(np, "savez", _interrupted)
        recipe["write_record"]("record.npz", model, x)
    assert recipe["compare"]("record.npz", model, atol=0) == []
    texts = np.array(["a text"], dtype=object)
    with pytest.raises(ValueError, match="not a tensor or objects"):
        recipe["write_record"]("texts.npz", model, texts)
    stateful = keras.layers.GRU(2, stateful=True)
    rnn = keras.Sequential(
        [stateful, keras.layers.BatchNormalization(), keras.layers.Dense(1)]
    )
    steps = np.random.normal(size=(1, 5, 3)).astype("float32")
    rnn(steps)
    held = stateful.states[0].numpy()
    recipe["write_record"]("rnn.npz", rnn, steps)
    found = recipe["compare"]("rnn.npz", rnn)
    assert all("is still" in line for line in found), found
    np.testing.assert_array_equal(stateful.states[0], held)
    model.save_weights("model.weights.h5")


@write_record.in_a_new_process
def write_record_elsewhere(recipe, member):
    model = compare.compiled(member)
    found = recipe["compare"]("record.npz", model)
    assert any("differ" in line for line in found), "a new model passed"
    model.load_weights("model.weights.h5")
    found = recipe["compare"]("record.npz", model)
    expected = []
    assert found == expected, found


@proof("bn_tools.py:compare")
def compare_(recipe, member):
    model, _ = compare.trained(member)
    x = _some(member.data()[0])
    recipe["write_record"]("record.npz", model, x)

    def found():
        return " | ".join(recipe["compare"]("record.npz", model))

    assert found() == ""
    norms = compare.norms_of(model)
    for layer in {norms[0], norms[-1]}:
        for array in [*layer.weights]:
            sound = array.numpy()
            array.assign(sound + 1)
            assert f"{layer.name}/{array.name} differs" in found()
            array.assign(sound)
        for name, value in {"epsilon": 0.1, "momentum": 0.5}.items():
            sound = getattr(layer, name)
            setattr(layer, name, value)
            assert f"{name} is {value}, not {sound}" in found()
            setattr(layer, name, sound)
        flag = layer.trainable
        layer.trainable = not flag
        assert f"trainable is {not flag}, not {flag}" in found()
        layer.trainable = flag
    step = model.optimizer.iterations.numpy()
    model.optimizer.iterations.assign(0)
    assert "at step 0, not" in found()
    model.optimizer.iterations.assign(step)
    moment = model.optimizer.variables[-1]
    moment.assign(moment + 1)
    assert found() == "arrays of the optimizer differ"
    moment.assign(moment - 1)

    # As many arrays, but of another kind of layer.
    layers = keras.layers
    norm = layers.BatchNormalization(center=False, scale=False)
    models = [
        keras.Sequential([layer]) for layer in (norm, layers.LayerNormalization())
    ]
    for small in models:
        small.build((None, 3))
    recipe["write_record"]("small.npz", models[0], np.ones((2, 3), "float32"))
    report = recipe["compare"]("small.npz", models[1])
    assert report[-1] == "BatchNormalization layers: 0 instead of 1", report
