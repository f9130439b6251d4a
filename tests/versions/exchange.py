"""Write small models in every format, or read the files that other versions wrote.

A script of its own, run by the interpreter of each version, Keras 2 and 3 alike:

- ``exchange.py write FOLDER [STRUCTURE...]`` writes the files, and prints a line of
  JSON for each: structure, format, and what became of it, see `write`;
- ``exchange.py read FOLDER...`` reads what these folders hold in every way there is,
  and prints a line of JSON for each: folder, structure, format, way, and what came of
  it, see `read`.

Each file is written and read in a process forked for it, which starts as one that has
imported TensorFlow and done nothing, and may crash or hang without harm to the others.
With TF_USE_LEGACY_KERAS=1 in the environment, Keras is tf_keras.

Layers are of equal width wherever they can be: arrays in the wrong place fit there.
"""

import gc
import json
import os
import re
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
import zipfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import h5py  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

# In Keras 2.12, `import keras` has other optimizers than what most code imports.
keras = tf.keras
VERSION = getattr(keras, "__version__", "2, tf_keras")

LIMIT = 300
"""Seconds that one read or one write may take."""

BUSY = 20
"""Seconds of computing that it may take; none that ends needs more than five."""

LONGEST = 160
"""Characters kept of a message."""

TOLERANCE = 1e-4
"""Difference of predictions, absolute or relative, that counts as none, as versions of
TensorFlow add up in different orders."""

ARRAYS = ("kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")

register = keras.utils.register_keras_serializable


class NotHere(Exception):
    """This version or this file is not what a format or a way is about."""


# ---------------------------------------------------------------- structures


def norm(**settings):
    """Return a layer whose settings are not the usual ones either."""
    return keras.layers.BatchNormalization(epsilon=0.01, momentum=0.9, **settings)


@register(package="exchange")
class Block(keras.layers.Layer):
    """A layer of the reader's own, with layers inside."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = keras.layers.Dense(units)
        self.norm = norm()

    def call(self, inputs, training=False):
        return tf.nn.relu(self.norm(self.dense(inputs), training=training))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@register(package="exchange")
class Attributes(keras.Model):
    """A model of the reader's own, each layer in an attribute."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(5)
        self.norm = norm()
        self.head = keras.layers.Dense(3)

    def call(self, inputs, training=False):
        return self.head(self.norm(self.dense(inputs), training=training))

    def get_config(self):
        return {}


@register(package="exchange")
class Listed(keras.Model):
    """A model of the reader's own, with a list of blocks."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.blocks = [Block(5), Block(5)]
        self.head = keras.layers.Dense(3)

    def call(self, inputs, training=False):
        for block in self.blocks:
            inputs = block(inputs, training=training)
        return self.head(inputs)

    def get_config(self):
        return {}


def sequential():
    """Return a Sequential model; its layers have the names that Keras gives."""
    return keras.Sequential(
        [
            keras.Input(shape=(5,)),
            keras.layers.Dense(5),
            norm(),
            keras.layers.Dense(5, activation="relu"),
            norm(),
            keras.layers.Dense(3),
        ]
    )


def functional():
    """Return a functional model with two branches."""
    inputs = keras.Input(shape=(6, 6, 2), name="image")
    right = keras.layers.Conv2D(4, 3, padding="same", name="short_conv")(inputs)
    left = keras.layers.Conv2D(4, 3, padding="same", name="conv")(inputs)
    left = norm(name="bn")(left)
    right = norm(name="short_bn")(right)
    both = keras.layers.Add(name="add")([left, right])
    both = keras.layers.ReLU(name="relu")(both)
    both = keras.layers.GlobalAveragePooling2D(name="pool")(both)
    both = keras.layers.Dense(4, name="dense")(both)
    both = norm(scale=False, name="last_bn")(both)
    return keras.Model(inputs, keras.layers.Dense(3, name="head")(both), name="net")


def nested():
    """Return a model with a frozen model inside, as for fine-tuning."""
    base_in = keras.Input(shape=(5,), name="base_input")
    base = keras.layers.Dense(5, name="base_dense")(base_in)
    base = norm(name="base_bn")(base)
    base = keras.Model(base_in, base, name="base")
    base.trainable = False
    inputs = keras.Input(shape=(5,), name="row")
    net = base(inputs, training=False)
    net = keras.layers.Dense(5, name="dense")(net)
    net = norm(name="bn")(net)
    return keras.Model(inputs, keras.layers.Dense(3, name="head")(net), name="net")


def own_layer():
    """Return a functional model with a layer of the reader's own."""
    inputs = keras.Input(shape=(5,), name="row")
    net = Block(5, name="block")(inputs)
    return keras.Model(inputs, keras.layers.Dense(3, name="head")(net), name="net")


STRUCTURES = {
    "sequential": sequential,
    "functional": functional,
    "nested": nested,
    "own layer": own_layer,
    "own class": Attributes,
    "own class, list": Listed,
}


def shape(structure):
    """Return the shape of the inputs of a structure."""
    return (8, 6, 6, 2) if structure == "functional" else (8, 5)


def code(structure):
    """Return the model as the code has it: built, compiled, its arrays at random."""
    keras.utils.set_random_seed(1)
    net = STRUCTURES[structure]()
    net(np.zeros(shape(structure), "float32"))
    net.compile(optimizer=keras.optimizers.Adam(0.01), loss="mean_squared_error")
    return net


def leaves(layer):
    """Return the layers with arrays, inner ones in the place of those around them."""
    if hasattr(layer, "moving_mean") or hasattr(layer, "kernel"):
        return [layer]
    if isinstance(layer, Block):
        return [layer.dense, layer.norm]
    return [leaf for inner in getattr(layer, "layers", []) for leaf in leaves(inner)]


def variables(net):
    """Return the variables of a model by a name that all versions agree on."""
    # Layers of a functional model are listed in an order that versions may differ in.
    named = type(net).__name__ == "Functional"
    found = {}
    for number, leaf in enumerate(leaves(net)):
        for name in ARRAYS:
            if getattr(leaf, name, None) is not None:
                place = leaf.name if named else number
                found[f"{place}/{name}"] = getattr(leaf, name)
    return found


def trained(structure):
    """Return the model to save: its statistics are far from 0 and 1."""
    net = code(structure)
    rng = np.random.default_rng(0)
    x = rng.normal(2.0, 3.0, shape(structure)).astype("float32")
    net.optimizer.build(net.trainable_variables)
    for name, variable in sorted(variables(net).items()):
        low, high = (0.5, 4.0) if name.endswith(("gamma", "variance")) else (-3.0, 3.0)
        variable.assign(rng.uniform(low, high, tuple(variable.shape)))
    return net, x


# ---------------------------------------------------------------- formats


def save_zip(net, path):
    """Save as Keras 2.12 does when it is asked for the format of today."""
    if not VERSION.startswith("2.12."):
        raise NotHere
    net.save(path, save_format="keras_v3")


def save_json(net, path):
    """Save the architecture as JSON, and the arrays beside it."""
    if isinstance(net, (Attributes, Listed)):
        raise NotHere
    Path(path).write_text(net.to_json(), "utf-8")
    plain = VERSION.startswith("2.")
    net.save_weights(f"{path}.h5" if plain else f"{path}.weights.h5")


FORMATS = {
    ".keras": ("m.keras", lambda net, path: net.save(path)),
    ".keras, keras_v3": ("zip.keras", save_zip),
    ".h5": ("m.h5", lambda net, path: net.save(path)),
    ".weights.h5": ("m.weights.h5", lambda net, path: net.save_weights(path)),
    "weights .h5": ("w.h5", lambda net, path: net.save_weights(path)),
    "weights, TensorFlow format": ("w/w", lambda net, path: net.save_weights(path)),
    "sharded weights": (
        "s.weights.json",
        lambda net, path: net.save_weights(path, max_shard_size=1),
    ),
    "JSON and weights": ("m.json", save_json),
    "SavedModel, save": ("saved", lambda net, path: net.save(path)),
    "SavedModel, export": ("exported", lambda net, path: net.export(path)),
    "SavedModel, tf": ("tf_saved", lambda net, path: tf.saved_model.save(net, path)),
    "Checkpoint": (
        "c/c",
        lambda net, path: tf.train.Checkpoint(model=net).write(path),
    ),
    "Checkpoint, arrays=": (
        "a/a",
        lambda net, path: tf.train.Checkpoint(model=net, arrays=net.variables).write(
            path
        ),
    ),
    "npz": ("m.npz", lambda net, path: np.savez(path, *net.get_weights())),
    "npz by layer": (
        "n.npz",
        lambda net, path: np.savez(
            path, **{k: np.asarray(v) for k, v in variables(net).items()}
        ),
    ),
}

EXPECTED = {name: f"expected-{number}.npz" for number, name in enumerate(FORMATS)}
"""The file beside that of a format, with what the writer had in memory."""

GRAPHS = ("functional", "nested", "own class, list")
"""The structures that a SavedModel, which takes long, is written of."""


def is_array(item):
    """Tell whether an item of an HDF5 file is an array, not a group of items."""
    return isinstance(item, h5py.Dataset)


def in_file(path):
    """Return all arrays that a file holds, of whatever format."""
    found, files = [], []
    if path.is_dir():
        prefix = str(path / "variables" / "variables")
    else:
        prefix = str(path)
        files = [p for p in path.parent.glob(path.name + "*") if p.is_file()]
        files += list(path.parent.glob(path.name.split(".")[0] + "_*.weights.h5"))
    if Path(prefix + ".index").is_file():
        reader = tf.train.load_checkpoint(prefix)
        return [reader.get_tensor(key) for key in reader.get_variable_to_shape_map()]
    for file in files:
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive, tempfile.TemporaryDirectory() as tmp:
                for name in archive.namelist():
                    if name.endswith(".npy"):
                        found.append(np.load(archive.open(name)))
                    elif name.endswith(".h5"):
                        found += in_file(Path(archive.extract(name, tmp)))
        elif h5py.is_hdf5(file):
            with h5py.File(file) as opened:
                names = []
                opened.visit(names.append)
                found += [opened[name][()] for name in names if is_array(opened[name])]
    return found


def write(folder, structure, format):
    """Write one file; return what became of it.

    Returns:
        ``["written"]``; ``["lacks", names]``, if there are arrays of the model that are
        nowhere in the file; ``["raises", message]``; or `None` if the format is none of
        this version.
    """
    name, save = FORMATS[format]
    if format.startswith("SavedModel") and structure not in GRAPHS:
        return None
    path = Path(folder, structure, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    net, x = trained(structure)
    try:
        save(net, str(path))
    except NotHere:
        return None
    except Exception as error:
        remove(path)
        return ["raises", said(error)]
    arrays = {k: np.asarray(v) for k, v in variables(net).items()}
    np.savez(
        Path(folder, structure, EXPECTED[format]),
        x=x,
        outputs=np.asarray(net(x, training=False)),
        **arrays,
    )
    kept = in_file(path)
    lost = [
        name
        for name, array in arrays.items()
        if not any(np.array_equal(array, other) for other in kept)
    ]
    return ["lacks", lost] if lost else ["written"]


def remove(path):
    """Remove what a save that raised has left."""
    shutil.rmtree(path, ignore_errors=True)
    for left in path.parent.glob(path.name + "*"):
        if left.is_file():
            left.unlink()


# ---------------------------------------------------------------- ways to read


def load_model(path, structure):
    """Return the model that the file describes."""
    return keras.models.load_model(path)


def load_uncompiled(path, structure):
    """Return the model that the file describes, without its optimizer."""
    return keras.models.load_model(path, compile=False)


def load_weights(path, structure):
    """Return the model of the code, with the arrays of the file."""
    net = code(structure)
    net.load_weights(path)
    return net


def renamed(load):
    """Return a way that gives a file of HDF5 the name that says so."""

    def way(path, structure):
        if not h5py.is_hdf5(path):
            raise NotHere
        with tempfile.TemporaryDirectory() as folder:
            return load(shutil.copy(path, f"{folder}/renamed.h5"), structure)

    return way


def unzipped(path, structure):
    """Return the model of the code, with the arrays of the file in the archive."""
    if not zipfile.is_zipfile(path):
        raise NotHere
    net = code(structure)
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
        net.load_weights(archive.extract("model.weights.h5", folder))
    return net


def from_json(path, structure):
    """Return the model that the JSON describes, with the arrays of the file."""
    net = keras.models.model_from_json(Path(path).read_text("utf-8"))
    if not net.built:
        net.build((None, *shape(structure)[1:]))
    weights = [f"{path}.weights.h5", f"{path}.h5"]
    net.load_weights(next(filter(os.path.exists, weights)))
    return net


def signature(path, structure):
    """Return the function that a SavedModel serves."""
    loaded = tf.saved_model.load(path)
    serve = loaded.signatures["serving_default"]
    (name,) = serve.structured_input_signature[1]
    return lambda x: (loaded, serve(**{name: tf.constant(x)}))[1]


def as_layer(path, structure):
    """Return the layer that runs a SavedModel."""
    return keras.layers.TFSMLayer(path, call_endpoint="serving_default")


def variables_of(path, structure):
    """Return the model of the code, with the arrays that a SavedModel keeps."""
    return load_weights(f"{path}/variables/variables", structure)


def read_into(named, built):
    """Return a way to restore a checkpoint into the model of the code.

    Args:
        named: Whether the checkpoint calls the model ``model``; it is the root else.
        built: Whether the model has its variables before.
    """

    def way(path, structure):
        if not built and not structure.startswith("own class"):
            raise NotHere
        keras.utils.set_random_seed(1)
        net = code(structure) if built else STRUCTURES[structure]()
        root = tf.train.Checkpoint(model=net) if named else tf.train.Checkpoint(net)
        net.status = root.read(path)
        return net

    return way


def read_listed(path, structure):
    """Return the model of the code, with the arrays that a checkpoint lists."""
    net = code(structure)
    root = tf.train.Checkpoint(model=net, arrays=net.variables)
    net.status = root.read(path)
    return net


def by_layer(path, structure):
    """Return the model of the code, with arrays named by the place of their layer."""
    net = code(structure)
    places = variables(net)
    with np.load(path) as arrays:
        assert set(arrays.files) == set(places)
        for name, variable in places.items():
            variable.assign(arrays[name])
    return net


def from_npz(path, structure):
    """Return the model of the code, with the arrays in the order of ``weights``."""
    net = code(structure)
    with np.load(path) as arrays:
        net.set_weights([arrays[f"arr_{i}"] for i in range(len(arrays.files))])
    return net


KERAS = {
    "load_model": load_model,
    "load_model, compile=False": load_uncompiled,
    "load_weights": load_weights,
    "unzip, load_weights": unzipped,
    "rename to .h5, load_model, compile=False": renamed(load_uncompiled),
    "rename to .h5, load_weights": renamed(load_weights),
}
SAVEDMODEL = {
    "load_model": load_model,
    "TFSMLayer": as_layer,
    "signature": signature,
    "load_weights of variables": variables_of,
}
WAYS = {
    ".keras": KERAS,
    ".keras, keras_v3": KERAS,
    ".h5": {name: KERAS[name] for name in list(KERAS)[:3]},
    ".weights.h5": {"load_weights": load_weights},
    "weights .h5": {"load_weights": load_weights},
    "weights, TensorFlow format": {
        "load_weights": load_weights,
        "Checkpoint(net).read": read_into(named=False, built=True),
        "Checkpoint(model=net).read": read_into(named=True, built=True),
    },
    "sharded weights": {"load_weights": load_weights},
    "JSON and weights": {"model_from_json, load_weights": from_json},
    "SavedModel, save": SAVEDMODEL,
    "SavedModel, export": SAVEDMODEL,
    "SavedModel, tf": SAVEDMODEL,
    "Checkpoint": {
        "read": read_into(named=True, built=True),
        "read, not built": read_into(named=True, built=False),
    },
    "Checkpoint, arrays=": {"read": read_listed},
    "npz": {"set_weights": from_npz},
    "npz by layer": {"assign": by_layer},
}


def said(error):
    """Return class and first line of an exception, without folders, cut."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = f"{type(error).__name__}: {lines[0] if lines else ''}"
    text = re.sub(r"(?<![\w.])/(?:[^\s'\"/]+/)+", "", text)
    text = re.sub(r"(?<![\w.])[\w.+-]+\+[\w.-]+/", "", text)
    return re.sub(r"0x[0-9a-f]{6,}", "0x...", text)[:LONGEST]


def compare(loaded, expected, structure):
    """Say whether a loaded model is the one that was saved.

    Args:
        loaded: A model of Keras, or what only predicts.
        expected: What the writer has computed, and its arrays.
        structure: One of `STRUCTURES`.

    Returns:
        ``["same"]``, if all arrays are equal, as far as there are any to compare, and
        the predictions, within `TOLERANCE`; else ``["wrong", arrays, of, predictions,
        asserted]``: how many arrays differ of how many, whether the predictions do,
        and whether ``assert_existing_objects_matched`` raises, `None` if there is
        nothing to ask.
    """
    x, outputs = expected.pop("x"), expected.pop("outputs")
    model = isinstance(loaded, keras.Model)
    found = loaded(x, training=False) if model else loaded(x)
    if isinstance(found, dict):
        (found,) = found.values()
    close = np.allclose(found, outputs, rtol=TOLERANCE, atol=TOLERANCE)
    there = {}
    if model:
        there = {k: np.asarray(v) for k, v in variables(loaded).items()}
        differ = sum(
            not np.array_equal(there.pop(name, None), array)
            for name, array in expected.items()
        ) + len(there)
    else:
        differ, expected = 0, {}
    if close and not differ:
        return ["same"]
    asserted = None
    if hasattr(loaded, "status"):
        try:
            loaded.status.assert_existing_objects_matched()
            asserted = False
        except AssertionError:
            asserted = True
    return ["wrong", differ, len(expected), not close, asserted]


def read(folder, structure, format, way):
    """Read one file; return what `compare` says, or ``["raises", message]``.

    It is `None` if the way is none for this file.
    """
    name, _ = FORMATS[format]
    path = Path(folder, structure, name)
    expected = Path(folder, structure, EXPECTED[format])
    with np.load(expected) as arrays:
        expected = dict(arrays)
    try:
        loaded = WAYS[format][way](str(path), structure)
        return compare(loaded, expected, structure)
    except NotHere:
        return None
    except Exception as error:
        return ["raises", said(error)]


# ---------------------------------------------------------------- processes


def forked(function, job):
    """Return what a function returns for a job, in a process of its own.

    Returns:
        Also ``["crashes", exit code]``, or ``["hangs"]``.
    """
    sys.stdout.flush()
    receive, send = os.pipe()
    child = os.fork()
    if not child:
        # What libraries print is not part of the answer.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        resource.setrlimit(resource.RLIMIT_CPU, (BUSY, BUSY + 1))
        os.write(send, json.dumps(function(*job)).encode())
        # Libraries' threads must not hold up the end.
        os._exit(0)
    os.close(send)
    told, end = b"", time.monotonic() + LIMIT
    while select.select([receive], [], [], max(0, end - time.monotonic()))[0]:
        piece = os.read(receive, 65536)
        if not piece:
            break
        told += piece
    else:
        os.kill(child, signal.SIGKILL)
    os.close(receive)
    _, status = os.waitpid(child, 0)
    if told:
        return json.loads(told)
    code = os.waitstatus_to_exitcode(status)
    if code == 1:
        sys.exit(f"{function.__name__}{job} raised, see above")
    if time.monotonic() >= end or code == -signal.SIGXCPU:
        return ["hangs"]
    return ["crashes", code]


def main(command, *folders):
    """Write one folder, of the structures behind it or of all, or read several."""
    # Otherwise the first full collection in each process copies all of TensorFlow.
    gc.freeze()
    if command == "write":
        folder, *structures = folders
        for structure in structures or STRUCTURES:
            for format in FORMATS:
                result = forked(write, (folder, structure, format))
                if result is not None:
                    print(json.dumps([structure, format, result]), flush=True)
        return
    for folder in folders:
        for structure in STRUCTURES:
            for format, ways in WAYS.items():
                if not Path(folder, structure, EXPECTED[format]).is_file():
                    continue
                for way in ways:
                    result = forked(read, (folder, structure, format, way))
                    if result is not None:
                        line = [folder, structure, format, way, result]
                        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
