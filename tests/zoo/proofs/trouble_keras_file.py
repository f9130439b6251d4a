"""A file that is replaced at once; one of old inner models, copied for today."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.versions import environments
from tests.zoo import compare
from tests.zoo.core import ROOT, NotFor, proof

SHOWS = {
    "trouble/keras_file/base_in_sequential.py": (
        "make_base layers build_sequential build_functional build_behind load "
        "unpack"  # a part of it
    ),
    "trouble/keras_file/older_keras.py": "build_model check shorten",  # a part of it
    "trouble/keras_file/save_over.py": "interrupt build holds",
    "trouble/keras_file/layer_as_argument.py": "report Classifier from_config",
}
KILLED = """
import os, sys
sys.path.insert(0, {root!r})
import keras
from tests.zoo import core
recipe = core.load("trouble/keras_file/save_over.py:save_over")
model = keras.saving.load_model("model.keras", compile=False)
layer = [each for each in model.layers if each.weights][-1]
layer.save_own_variables = lambda store: os._exit(9)  # in the middle of the write
recipe["save_over"](model, "model.keras")
"""


@proof("trouble/keras_file/save_over.py:save_over")
def save_over(recipe, member):
    model, _ = compare.trained(member, epochs=1)
    recipe["save_over"](model, "model.keras")
    assert [path.name for path in Path().iterdir()] == ["model.keras"]
    _holds(model)
    # A name from which no model of this format can be loaded is left alone.
    Path("old.h5").write_bytes(b"old")
    with pytest.raises(ValueError, match="does not end in .keras"):
        recipe["save_over"](model, "old.h5")
    assert Path("old.h5").read_bytes() == b"old"
    before = model.get_weights()
    content = Path("model.keras").read_bytes()
    # Neither does a model without arrays replace one that has them.
    with pytest.raises(ValueError, match="has no arrays yet: call it once"):
        recipe["save_over"](keras.Sequential(name="empty"), "model.keras")
    assert Path("model.keras").read_bytes() == content
    # Behind a link, the file itself is replaced.
    Path("disk").mkdir()
    Path("disk/real.keras").write_bytes(b"old")
    Path("link.keras").symlink_to("disk/real.keras")
    recipe["save_over"](model, "link.keras")
    assert Path("link.keras").is_symlink()
    assert [path.name for path in Path("disk").iterdir()] == ["real.keras"]
    compare.assert_same_predictions(
        keras.saving.load_model("disk/real.keras"), model, member.data()[0], 1e-5
    )
    if member.name == "flat Sequential":  # one process is enough
        command = [sys.executable, "-c", KILLED.format(root=str(ROOT))]
        killed = subprocess.run(command, capture_output=True, check=False)
        assert killed.returncode == 9, killed.stderr[-500:]
        assert Path("model.keras").read_bytes() == content
    x, y = member.data()
    model.fit(x, y, batch_size=member.batch_size, verbose=0)
    assert not all(map(np.array_equal, before, model.get_weights()))
    last = [layer for layer in compare.layers_of(model) if layer._trainable_variables][
        -1
    ]
    last.save_own_variables = _interrupt
    try:
        recipe["save_over"](model, "model.keras")
    except KeyboardInterrupt:
        pass
    assert Path("model.keras").read_bytes() == content
    del last.save_own_variables
    recipe["save_over"](model, "model.keras")  # over what the last one left as well
    _holds(model)
    np.savez("expected.npz", *model.get_weights())


@save_over.in_a_new_process
def save_over_elsewhere(recipe, member):
    loaded = keras.saving.load_model("model.keras")
    saved = np.load("expected.npz")
    for i, array in enumerate(loaded.get_weights()):
        np.testing.assert_array_equal(array, saved[f"arr_{i}"])


def _holds(model):
    loaded = keras.saving.load_model("model.keras")
    for saved, array in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(saved, array)


def _interrupt(store):
    raise KeyboardInterrupt


def as_keras_3_9(part):
    """Put the one input and output of each inner model into a list of its own."""
    for inner in part.values() if isinstance(part, dict) else part:
        if isinstance(inner, dict):
            for ends in ("input_layers", "output_layers"):
                if ends in inner and isinstance(inner[ends], list):
                    if isinstance(inner[ends][0], str):
                        inner[ends] = [inner[ends]]
        if isinstance(inner, (dict, list)):
            as_keras_3_9(inner)


def contents(path):
    """Return the members of a .keras file, and its settings read."""
    with zipfile.ZipFile(path) as file:
        found = {name: file.read(name) for name in file.namelist()}
    return found, json.loads(found.pop("config.json"))


def works(path, model, x):
    """Return whether a file gives the model's predictions, in their shape."""
    try:
        loaded = keras.saving.load_model(path)
        compare.assert_same_predictions(model, loaded, x, 1e-5)
    except (ValueError, TypeError, AttributeError, AssertionError):
        return False
    return True


@proof("trouble/keras_file/base_in_sequential.py:one_output")
def one_output(recipe, member):
    x, y = member.data()
    if member.traits & {"dict", "outputs"}:
        raise NotFor("a Sequential has one input and one output")
    keras.utils.set_random_seed(0)
    base = member.build()
    inputs = keras.Input(
        x.shape[1:], dtype="int32" if "masks" in member.traits else None
    )
    last = keras.layers.BatchNormalization(dtype="float32")
    model = keras.Sequential([inputs, base, last])
    model.compile(member.optimizer(), "mean_squared_error")
    targets = np.zeros((len(x), *model.output_shape[1:]), "float32")
    model.fit(x, targets, batch_size=member.batch_size, verbose=0)
    model.save("today.keras")
    rest, config = contents("today.keras")
    old = json.loads(json.dumps(config))
    as_keras_3_9(old["config"])
    with zipfile.ZipFile("old.keras", "w") as file:
        for name, data in [*rest.items(), ("config.json", json.dumps(old))]:
            file.writestr(name, data)
    before = Path("old.keras").read_bytes()
    if old != config:  # a class and a Sequential have no list of outputs
        assert not works("old.keras", model, x)
    recipe["one_output"]("old.keras", "copy.keras")
    with pytest.raises(FileExistsError):
        recipe["one_output"]("old.keras", "old.keras")
    assert Path("old.keras").read_bytes() == before
    copied, settings = contents("copy.keras")
    assert copied == rest
    assert settings == config
    loaded = keras.saving.load_model("copy.keras")
    one, other = (compare.state(each).items() for each in (model, loaded))
    for (key, a), (_, b) in zip(one, other, strict=True):
        # Masks start anew in each model, and a file has no flag of an InputLayer.
        if not key.endswith("seed_generator_state") and "input_layer" not in key:
            np.testing.assert_array_equal(a, b, err_msg=key)
    compare.assert_same_predictions(model, loaded, x, 1e-5)


OLDER = """
import sys

sys.path.insert(0, {root!r})

import keras
import numpy as np

from tests.zoo import compare
from tests.zoo.members import MEMBERS

assert keras.__version__ == {version!r}
member = MEMBERS[{name!r}]
keras.config.set_dtype_policy(member.policy)
model = keras.saving.load_model("older.keras")
arrays = [compare._array(v) for v in model.weights]
np.savez("found.npz", *arrays, *compare.predictions(model, member.data()[0]))
optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
print(int(optimizer.iterations.numpy()))
"""


@proof("trouble/keras_file/older_keras.py:for_older_keras")
def for_older_keras(recipe, member):
    x, _ = member.data()
    model, _ = compare.trained(member)
    model.save("newer.keras")
    before = Path("newer.keras").read_bytes()
    recipe["for_older_keras"]("newer.keras", "older.keras")
    assert Path("newer.keras").read_bytes() == before
    rest, _ = contents("newer.keras")
    assert contents("older.keras")[0] == rest

    # To today's Keras, both are the same model, but for lists of one input or output,
    # which it does not take from a base in TimeDistributed.
    wrappers = (keras.layers.TimeDistributed, keras.Sequential)
    if not any(isinstance(layer, wrappers) for layer in compare.layers_of(model)[1:]):
        ages = ("newer", "older")
        one, other = (keras.saving.load_model(f"{age}.keras") for age in ages)
        compare.assert_same_predictions(one, other, x)
        layers = zip(*(compare.layers_of(each) for each in (one, other)), strict=True)
        for layer, same in layers:
            if not isinstance(layer, keras.Model):
                configs = [{**e.get_config(), "name": 0} for e in (layer, same)]
                assert str(configs[0]) == str(configs[1])

    older = environments.named("Keras 3.6.0")
    code = OLDER.format(root=str(ROOT), version=older.keras, name=member.build.__name__)
    done = subprocess.run(
        [environments.install(older), "-c", code], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-1000:]
    assert int(done.stdout.split()[-1]) == int(model.optimizer.iterations)
    arrays = [compare._array(v) for v in model.weights]
    found = list(np.load("found.npz").values())
    for one, right in zip(found, arrays, strict=False):
        np.testing.assert_array_equal(one, right)
    # Another version may add up in another order; half precision has three digits.
    tolerance = 2e-2 if "mixed" in member.traits else 1e-4
    outputs = compare.predictions(model, x)
    for one, right in zip(found[len(arrays) :], outputs, strict=True):
        np.testing.assert_allclose(one, right, tolerance, tolerance)
