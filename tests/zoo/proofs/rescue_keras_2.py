"""Files that Keras 2.15.0 wrote of the members, opened by the recipes of today.

Keras 2.15.0 builds the members from the same code in its own environment, which the
first call installs (`tests/versions`): this module runs there as a script, writes the
files, and notes all arrays and predictions beside them.
"""

import os
import subprocess
import sys
import types
from collections import Counter
from pathlib import Path

import h5py
import keras
import numpy as np
import tensorflow as tf

from tests.versions import environments
from tests.zoo import compare
from tests.zoo.core import NotFor, proof

SHOWS = {
    "rescue/keras_2_h5.py": "build_model compare",
    # Parts of it; TFOpLambda is for TensorFlow operations between layers, of which no
    # member has any: the page runs it, on a file of Keras 2.15.0.
    "rescue/keras_2_h5_no_code.py": "translate thawed connect freeze TFOpLambda",
    # The first two are parts of it.
    "rescue/keras_2_without_code.py": "rewrite count_calls_from_0 "
    "Norm base functional sequential steps operation check",
    # The first one is a part of it.
    "rescue/keras_2_checkpoint.py": "places dense_bn functional Net equal",
    # The first one is a part of it.
    "rescue/keras_2_savedmodel.py": "short build_model",
    # The first one is a part of it.
    "rescue/optimizer_state.py": "listed compiled one_step",
    # Run on files that Keras 2.12.0 and 2.15.0 write for the page.
    "trouble/keras_2/counted_twice.py": "build_model number_again number_layers",
    "trouble/keras_2/layer_arguments.py": "save load",
    "trouble/keras_2/nested_model.py": "save make_base",
}

ROOT = Path(__file__).parents[3]
ARRAYS = ("gamma", "beta", "moving_mean", "moving_variance")
FILES = {
    "model.h5": lambda model: model.save("model.h5"),
    "model.keras": lambda model: model.save("model.keras"),
    "model.weights.h5": lambda model: model.save_weights("model.weights.h5"),
    "folder": lambda model: model.save("folder", include_optimizer=False),
    "weights": lambda model: model.save_weights("weights"),
    "checkpoint": lambda model: tf.train.Checkpoint(model=model).write("checkpoint"),
}
# What no member has: a dropout of channels, a number as first argument.
SPECIAL = """
import keras
layers = keras.layers.SpatialDropout2D(0.2), keras.layers.BatchNormalization()
keras.Sequential([keras.Input((3, 3, 4)), *layers]).save("spatial.h5")
inputs = keras.Input((4,))
outputs = 1.0 - keras.layers.BatchNormalization()(inputs)
keras.Model(inputs, outputs).save("constant.h5")
"""
# Keras 2 writes the optimizer of the inner model, and no layer in a list in a list.
INCOMPLETE = """
import keras

@keras.saving.register_keras_serializable("zoo")
class Pairs(keras.layers.Layer):
    def __init__(self, **settings):
        super().__init__(**settings)
        self.pairs = [[keras.layers.Dense(4), keras.layers.BatchNormalization()]]

    def build(self, shape):
        for layer in self.pairs[0]:
            layer.build(shape)
        super().build(shape)

    def call(self, inputs):
        return self.pairs[0][1](self.pairs[0][0](inputs))
"""
WRITE_INCOMPLETE = """
norm = keras.layers.BatchNormalization()
inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4), norm])
inner.compile("adam", "mse")
inner.optimizer.build(inner.trainable_variables)
inputs = keras.Input((4,))
keras.Model(inputs, Pairs()(inner(inputs))).save("incomplete.keras")
"""


def keras_2_writes(member, *files, compiled=False):
    """Have Keras 2.15.0 write files of a member into this folder.

    Args:
        member: A member of the zoo.
        files: Names in `FILES`.
        compiled: Whether it has an optimizer, with values in all of its arrays.
    """
    done = subprocess.run(
        [
            environments.install(environments.KERAS_2),
            *("-m", __name__, in_keras_2.__name__),
            *(member.build.__name__, "compiled" if compiled else "", *files),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr[-1000:]


def in_keras_2(name, compiled, *files):
    """Build a member, and write it; to be run in Keras 2.15.0."""
    assert keras.__version__ == "2.15.0", keras.__version__
    # All that the members use of what came with Keras 3.
    keras.ops = types.SimpleNamespace(relu=tf.nn.relu, mean=tf.reduce_mean)
    from tests.zoo.members import MEMBERS

    member = MEMBERS[name]
    keras.mixed_precision.set_global_policy(member.policy)
    keras.utils.set_random_seed(0)
    model = member.build()
    for array in model.weights:
        # As if it were trained. With other kernels, deep models would give no numbers.
        if array.shape.rank == 1:
            array.assign_add(np.random.uniform(0.01, 0.1, array.shape))
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()
    found = facts(model, member)
    if compiled:
        found |= give_optimizer(model, member)
    for file in files:
        FILES[file](model)
    np.savez("keras2.npz", **found)


def give_optimizer(model, member):
    """Compile a model of Keras 2, and return the optimizer's arrays as a file has them.

    Each is a multiple of the array that it belongs to.
    """
    model.compile(member.optimizer(), member.loss)
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    arrays = model.trainable_variables
    optimizer.build(arrays)
    optimizer.iterations.assign(7)
    slots = [v for v in optimizer.variables[1:] if "learning_rate" not in v.name]
    for i, slot in enumerate(slots):
        count = len(slots) // len(arrays)
        slot.assign((2 + i % count) * arrays[i // count])
    return {f"o{i}": v.numpy() for i, v in enumerate([optimizer.iterations, *slots])}


def norms_by_name(model):
    """Return the BatchNormalization layers by name, as Keras lists them."""
    layers = {id(layer): layer for layer in compare.norms_of(model)}.values()
    found = {layer.name: layer for layer in layers}
    assert len(found) == len(layers), "two have one name"
    return found


def facts(model, member):
    """Return the arrays, flags and predictions of a model of Keras 2."""
    outputs = tf.nest.flatten(model(member.data()[0], training=False))
    found = {f"y{i}": tf.cast(y, "float32").numpy() for i, y in enumerate(outputs)}
    found |= {f"w{i}": array for i, array in enumerate(model.get_weights())}
    for name, layer in norms_by_name(model).items():
        for key in ARRAYS:
            if getattr(layer, key) is not None:
                found[f"bn/{name}/{key}"] = getattr(layer, key).numpy()
        found[f"flag/{name}"] = layer.trainable
    found["flags"] = len(model.trainable_weights)
    return found


def assert_as_in_keras_2(model, member, flags=False):
    """Assert that a model has all that Keras 2.15.0 noted.

    Each array of each BatchNormalization by the layer's name, all arrays of the model
    in any order, and the predictions; with ``flags``, what is trainable, too.
    """
    stored = dict(np.load("keras2.npz"))
    found = {}
    for name, layer in norms_by_name(model).items():
        for key in ARRAYS:
            if getattr(layer, key) is not None:
                found[f"bn/{name}/{key}"] = compare._array(getattr(layer, key))
        if flags:
            assert layer.trainable == stored[f"flag/{name}"], name
    assert sorted(found) == sorted(key for key in stored if key[:3] == "bn/")
    for key, array in found.items():
        np.testing.assert_array_equal(array, stored[key], err_msg=key)
    arrays = [compare._array(array) for array in model.weights]
    old = [array for key, array in stored.items() if key[0] == "w"]
    assert counted(arrays) == counted(old), "other arrays"
    if flags:
        assert len(model.trainable_variables) == stored["flags"]
    # Another TensorFlow computes; half precision has three digits.
    tolerance = 2e-2 if "mixed" in member.traits else 1e-4
    for i, y in enumerate(compare.predictions(model, member.data()[0])):
        np.testing.assert_allclose(y, stored[f"y{i}"], tolerance, tolerance)


def counted(arrays):
    """Return how often each array is there, whatever integers it is made of."""
    return Counter(np.asarray(array, "float32").tobytes() for array in arrays)


def other(member):
    """Return a model with other values, its layers named as in a new process."""
    keras.utils.clear_session()
    return compare.other(member)


def refuses(call, *arguments):
    """Return what a recipe says as it refuses."""
    try:
        call(*arguments)
    except ValueError as error:
        return str(error)
    raise AssertionError("it did not refuse")


def renamed(model, member):
    """Name the layers inside the reader's own as those of the member are named.

    A configuration does not say how, so that they are counted as they are made.
    """
    if "custom" in member.traits:
        same = zip(
            compare.layers_of(model), compare.layers_of(other(member)), strict=True
        )
        for layer, known in same:
            layer.name = known.name
    return model


@proof("rescue/keras_2_h5_no_code.py:load_keras_2")
def load_keras_2(recipe, member):
    if "subclassed" in member.traits:
        raise NotFor("Keras 2 writes no model of a class to an .h5")
    python = environments.install(environments.KERAS_2)
    subprocess.run([python, "-c", SPECIAL], check=True, capture_output=True)
    said = refuses(recipe["load_keras_2"], "constant.h5")
    assert "a constant comes first" in said, said
    dropout, norm = recipe["load_keras_2"]("spatial.h5").layers
    assert isinstance(dropout, keras.layers.SpatialDropout2D) and dropout.rate == 0.2
    assert len(norm.get_weights()) == 4

    keras_2_writes(member, "model.h5")
    model = recipe["load_keras_2"]("model.h5")
    model.save("model.keras")
    assert_as_in_keras_2(renamed(model, member), member, flags=True)

    with h5py.File("model.h5", "a") as file:
        group = file["model_weights"]
        names = [name for name in group.attrs["layer_names"] if len(group[name])]
        group.attrs["layer_names"] = names[1:]
    assert "layers" in refuses(recipe["load_keras_2"], "model.h5")


@load_keras_2.in_a_new_process
def load_keras_2_elsewhere(recipe, member):
    model = keras.saving.load_model("model.keras")
    assert_as_in_keras_2(renamed(model, member), member, flags=True)


@proof("rescue/keras_2_without_code.py:open_keras_2")
def open_keras_2(recipe, member):
    recipe["keras"] = keras  # the page's script of Keras 2 has another
    keras_2_writes(member, "model.keras")
    model = recipe["open_keras_2"]("model.keras")
    model.save("today.keras")
    assert_as_in_keras_2(renamed(model, member), member, flags=True)
    said = refuses(recipe["open_keras_2"], "today.keras")
    assert said == "today.keras is of Keras 3", said
    if member.build.__name__ == "sequential":
        python = environments.install(environments.KERAS_2)
        script = INCOMPLETE + WRITE_INCOMPLETE
        subprocess.run([python, "-c", script], check=True, capture_output=True)
        exec(INCOMPLETE, {})
        said = refuses(recipe["open_keras_2"], "incomplete.keras")
        assert said == "incomplete.keras: 6 of 12 arrays", said


@open_keras_2.in_a_new_process
def open_keras_2_elsewhere(recipe, member):
    model = keras.saving.load_model("today.keras")
    assert_as_in_keras_2(renamed(model, member), member, flags=True)


@proof("rescue/keras_2_checkpoint.py:read_keras_2")
def read_keras_2(recipe, member):
    read, roots = recipe["read_keras_2"], {"weights": "", "checkpoint": "model"}
    keras_2_writes(member, *roots)
    for path, root in roots.items():
        model = other(member)
        before = compare.state(model)
        said = refuses(read, model, path, "" if root else "model")
        assert f"{path}: nothing" in said, said
        assert not compare.changed(before, compare.state(model))
        read(model, path, root)
        assert_as_in_keras_2(model, member)


@proof("rescue/keras_2_savedmodel.py:copy_arrays")
def copy_arrays(recipe, member):
    if "noise" in member.traits:
        raise NotFor("Keras 2.15.0 writes no folder of SpectralNormalization")
    recipe["keras"] = keras
    copy = recipe["copy_arrays"]
    keras_2_writes(member, "folder")
    model = other(member)
    before = compare.state(model)
    loaded = tf.saved_model.load("folder")
    said = ""
    try:
        copy(loaded.variables, model.weights)
    except ValueError as error:
        assert not compare.changed(before, compare.state(model))
        said = str(error).partition(": [")[0]
        # As the page goes on: layer by layer.
        layers = loaded.keras_api.layers
        try:
            for old, new in zip(layers, model.layers, strict=True):
                copy(getattr(old, "variables", []), new.weights)
        except ValueError as error:
            return f"{said}; layer by layer: {error}"
        said += "; equal layer by layer"
    assert_as_in_keras_2(model, member)
    return said


OPTIMIZER = ("model.weights.h5", "model.h5", "checkpoint", "weights")
"""The files that hold the optimizer; those of classes and of half precision, fewer."""


def files_with_optimizer(member):
    """Have Keras 2.15.0 write them; return their names."""
    if "mixed" in member.traits:
        raise NotFor("Keras 2 wraps the optimizer of mixed precision")
    files = [
        f for f in OPTIMIZER if f != "model.h5" or "subclassed" not in member.traits
    ]
    keras_2_writes(member, *files, compiled=True)
    return files


@proof("rescue/optimizer_state.py:optimizer_of")
def optimizer_of(recipe, member):
    files = files_with_optimizer(member)
    stored = np.load("keras2.npz")
    count = sum(key[0] == "o" for key in stored)
    for path in files:
        root = "" if path == "weights" else "model"
        arrays = recipe["optimizer_of"](path, root)
        assert len(arrays) == count, f"{path}: {len(arrays)} of {count}"
        for i, array in enumerate(arrays):
            np.testing.assert_array_equal(array, stored[f"o{i}"], err_msg=path)


@proof("rescue/optimizer_state.py:go_on")
def go_on(recipe, member):
    files_with_optimizer(member)
    model = other(member)
    model.load_weights("model.weights.h5")
    arrays = recipe["optimizer_of"]("checkpoint")
    before = compare.state(model)
    for wrong in (arrays[:-1], [*arrays, arrays[-1]]):
        said = refuses(recipe["go_on"], model, wrong)
        assert "arrays in the file" in said, said
    try:
        recipe["go_on"](model, arrays)
    except ValueError as error:
        return str(error)
    # All but the optimizer is as before, and each slot belongs to its array.
    after = compare.state(model)
    moved = [k for k in compare.changed(before, after) if not k.startswith("optimizer")]
    assert not moved, moved
    assert int(model.optimizer.iterations) == 7
    slots = [v for v in model.optimizer.variables[1:] if v.name != "learning_rate"]
    each = len(slots) // len(model.trainable_variables)
    for i, slot in enumerate(slots):
        array = model.trainable_variables[i // each]
        np.testing.assert_allclose(slot, (2 + i % each) * array.numpy(), 1e-6)
    x, y = member.data()
    model.fit(x, y, batch_size=member.batch_size, verbose=0)


if __name__ == "__main__":
    {in_keras_2.__name__: in_keras_2}[sys.argv[1]](*sys.argv[2:])
