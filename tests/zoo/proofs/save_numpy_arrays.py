"""Arrays by order and by name: all of them in another process, or none."""

from pathlib import Path

import keras
import numpy as np
import pytest

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {
    "save/numpy_arrays.py": "build equal same_predictions",
    "trouble/npz/arr_10.py": "build report",
    "trouble/npz/float16.py": "build report",
    "trouble/npz/other_order.py": "Net build same_predictions around",
    "trouble/npz/swapped.py": "build with_swapped",
    "trouble/npz/trainable_only.py": "build report",
    "trouble/npz/variable_path.py": "build",
}


def weights_of(model):
    """Return a model's arrays as NumPy has them."""
    return [compare._array(weight) for weight in model.weights]


def expect(model, x):
    """Write down what has to come back."""
    np.savez("expected.npz", *weights_of(model))
    np.savez("outputs.npz", *compare.predictions(model, x))


def assert_loaded(model, x):
    """Assert that all of it is there: arrays, and what is computed with them."""
    for file, arrays in {
        "expected.npz": weights_of(model),
        "outputs.npz": compare.predictions(model, x),
    }.items():
        with np.load(file) as expected:
            assert len(arrays) == len(expected.files)
            for i, array in enumerate(arrays):
                np.testing.assert_array_equal(array, expected[f"arr_{i}"], file)


def assert_refused(load, file, model, words):
    """Assert that a file is refused, and that the model is as before."""
    before = compare.state(model)
    with pytest.raises(ValueError, match=words):
        load(file, model)
    assert not compare.changed(before, compare.state(model))


def with_another_head(file):
    """Write a file whose last array has another shape, and return its name."""
    with np.load(file) as saved:
        arrays = dict(saved.items())
    last = [key for key in arrays if key != "names"][-1]
    arrays[last] = np.concatenate([arrays[last]] * 2, axis=-1)
    np.savez("wider.npz", **arrays)
    return "wider.npz"


def with_heads(first, second, use):
    """Build a model of two heads of one shape, and save or load its arrays."""
    inputs = keras.Input((4,))
    heads = [keras.layers.Dense(1, name=f"head_{i}")(inputs) for i in range(2)]
    use("heads.npz", keras.Model(inputs, {first: heads[0], second: heads[1]}))


def with_towers(first, second, use):
    """Build a model of two models with equal names in them, and use it."""
    inputs, outputs = keras.Input((4,)), {}
    for key in [first, second]:
        parts = [keras.Input((4,)), keras.layers.BatchNormalization(name="bn")]
        outputs[key] = keras.Sequential(parts, name=f"tower_{key}")(inputs)
    use("towers.npz", keras.Model(inputs, outputs))


def half(file, *arrays, **named):
    """Write a part of a file, as ``np.savez`` does that is interrupted."""
    Path(file).write_bytes(b"half")
    raise KeyboardInterrupt


def by_order(recipe, member):
    """Save; load into a new model, a trained one and a frozen one; refuse."""
    model, _ = compare.trained(member, epochs=1)
    x, _ = member.data()
    expect(model, x)
    before = compare.state(model)
    recipe["save_arrays"]("weights.npz", model)
    assert not compare.changed(before, compare.state(model))
    again = compare.other(member)
    again.trainable = False
    recipe["load_arrays"]("weights.npz", again)
    assert_loaded(again, x)
    assert not any(layer.trainable for layer in compare.layers_of(again))

    if "normalization" in member.traits:  # traced with another mean and variance
        again = compare.other(member)
        again.predict(x, verbose=0)
        recipe["load_arrays"]("weights.npz", again)
        for array, right in zip(
            keras.tree.flatten(again.predict(x, verbose=0)),
            compare.predictions(again, x),
            strict=True,
        ):
            np.testing.assert_allclose(array, right, rtol=1e-4, atol=1e-4)

    # Nothing but the arrays is touched: optimizer and flags are as before.
    for weight in model.weights:
        weight.assign(keras.ops.ones_like(weight))
    recipe["load_arrays"]("weights.npz", model)
    assert not compare.changed(before, compare.state(model))

    wider = with_another_head("weights.npz")
    assert_refused(recipe["load_arrays"], wider, compare.other(member), "other arrays")
    alone = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
    assert_refused(recipe["load_arrays"], "weights.npz", alone, "other arrays")


@proof("save/numpy_arrays.py:save_arrays")
def save_arrays(recipe, member):
    by_order(recipe, member)
    unbuilt = keras.Sequential([keras.layers.BatchNormalization()])
    with pytest.raises(ValueError, match="no arrays yet"):
        recipe["save_arrays"]("empty.npz", unbuilt)
    brief = keras.Sequential([keras.layers.Dense(2, dtype="bfloat16")])
    brief.build((None, 3))
    with pytest.raises(ValueError, match="bfloat16"):
        recipe["save_arrays"]("empty.npz", brief)
    assert not Path("empty.npz").exists()
    model = member.build()
    earlier = Path("weights.npz").read_bytes()
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(np, "savez", half)
        recipe["save_arrays"]("weights.npz", model)
    assert Path("weights.npz").read_bytes() == earlier


@proof("save/numpy_arrays.py:load_arrays")
def load_arrays(recipe, member):
    by_order(recipe, member)

    with_heads("left", "right", recipe["save_arrays"])
    with_heads("left", "right", recipe["load_arrays"])
    with pytest.raises(ValueError, match="other arrays"):  # sorted, the other is first
        with_heads("z", "right", recipe["load_arrays"])
    with_towers("left", "right", recipe["save_arrays"])
    with_towers("left", "right", recipe["load_arrays"])
    with pytest.raises(ValueError, match="other arrays"):
        with_towers("z", "right", recipe["load_arrays"])


@load_arrays.in_a_new_process
def load_arrays_elsewhere(recipe, member):
    model = compare.other(member)
    recipe["load_arrays"]("weights.npz", model)
    assert_loaded(model, member.data()[0])


def unclear(model):
    """Return whether names of layers and arrays do not tell all arrays apart."""
    keys = [f"{layer.name}/{w.name}" for layer in model.layers for w in layer.weights]
    return len(keys) != len(set(keys)) or len(keys) != len(model.weights)


@proof("trouble/npz/other_order.py:by_name")
def by_name(recipe, member):
    with pytest.raises(ValueError, match="no arrays yet"):
        recipe["by_name"](keras.Sequential([keras.layers.BatchNormalization()]))
    model = member.build()
    before = compare.state(model)
    try:
        named = recipe["by_name"](model)
    except ValueError as error:
        assert unclear(model), error
        assert not compare.changed(before, compare.state(model))
        return str(error).partition(":")[0]
    assert not unclear(model)
    assert not compare.changed(before, compare.state(model))
    assert {id(v) for v in named.values()} == {id(w) for w in model.weights}


@proof("trouble/npz/other_order.py:load_by_name")
def load_by_name(recipe, member):
    model, _ = compare.trained(member, epochs=1)
    x, _ = member.data()
    if unclear(model):
        arrays = {f"a/{i}": array for i, array in enumerate(weights_of(model))}
        np.savez("named.npz", **arrays)
        assert_refused(recipe["load_by_name"], "named.npz", model, "")
        return "one name for two arrays"
    expect(model, x)
    np.savez("named.npz", **{k: v.numpy() for k, v in recipe["by_name"](model).items()})
    before = compare.state(model)
    for weight in model.weights:
        weight.assign(keras.ops.ones_like(weight))
    recipe["load_by_name"]("named.npz", model)
    assert not compare.changed(before, compare.state(model))
    assert_loaded(model, x)

    wider = with_another_head("named.npz")
    assert_refused(recipe["load_by_name"], wider, model, "other arrays")
    # Layers without names have others, the second time in a process.
    second = compare.other(member)
    if {layer.name for layer in second.layers if layer.weights} != {
        layer.name for layer in model.layers if layer.weights
    }:
        assert_refused(recipe["load_by_name"], "named.npz", second, "other arrays")


@load_by_name.in_a_new_process
def load_by_name_elsewhere(recipe, member):
    model = compare.other(member)
    recipe["load_by_name"]("named.npz", model)
    assert_loaded(model, member.data()[0])
