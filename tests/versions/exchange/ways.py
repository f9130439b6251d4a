"""The formats that models are written in, and the ways to read each."""

import shutil
import tempfile
import zipfile
from pathlib import Path

from tests.versions.exchange.models import built, keras, tf

COPY = Path(__file__).parents[3] / "snippets/trouble/keras_file/older_keras.py"
"""The page whose function removes what has its default from a file."""


def save_short(net, path):
    """Save without the arguments that have their default, as the page does."""
    if not hasattr(keras, "ops"):
        raise NotImplementedError("of Keras 3")
    section = COPY.read_text("utf-8").split("[start:copy]")[1].split("# --8<--")[0]
    names = {}
    exec(section, names)
    net.save(path + ".full.keras")
    names["for_older_keras"](path + ".full.keras", path)


FORMATS = {
    ".keras": ("m.keras", lambda net, path: net.save(path)),
    ".keras, defaults removed": ("short.keras", save_short),
    ".h5": ("m.h5", lambda net, path: net.save(path)),
    ".weights.h5": ("m.weights.h5", lambda net, path: net.save_weights(path)),
    "weights .h5": ("w.h5", lambda net, path: net.save_weights(path)),
    "shards": (
        "s.weights.json",
        lambda net, path: net.save_weights(path, max_shard_size=1e-6),
    ),
    "SavedModel, export": ("exported", lambda net, path: net.export(path)),
    "SavedModel, save": ("saved", lambda net, path: net.save(path)),
    "Checkpoint": ("c", lambda net, path: tf.train.Checkpoint(model=net).write(path)),
    "weights, TensorFlow format": ("w", lambda net, path: net.save_weights(path)),
}
"""By name: the file in the folder of the structure, and how it is written."""


def load_model(path, structure):
    """Return the model that the file describes."""
    return keras.models.load_model(path)


def uncompiled(path, structure):
    """Return the model that the file describes, without its optimizer."""
    return keras.models.load_model(path, compile=False)


class NotHere(Exception):
    """The way is none for this file."""


def copied(path, folder):
    """Return a copy of a file of HDF5 under a name that says so."""
    if Path(path).read_bytes()[1:4] != b"HDF":
        raise NotHere
    return shutil.copy(path, f"{folder}/renamed.h5")


def renamed(path, structure):
    """Return the model of a file of HDF5 with another ending."""
    with tempfile.TemporaryDirectory() as folder:
        return uncompiled(copied(path, folder), structure)


def weights(path, structure):
    """Return the model of the code, with the arrays of the file."""
    net = built(structure)
    net.load_weights(path)
    return net


def unzipped(path, structure):
    """Return the model of the code, with the arrays of the file in the archive."""
    if not zipfile.is_zipfile(path):
        raise NotHere
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
        return weights(archive.extract("model.weights.h5", folder), structure)


def renamed_weights(path, structure):
    """Return the model of the code, with the arrays of HDF5 under another name."""
    with tempfile.TemporaryDirectory() as folder:
        return weights(copied(path, folder), structure)


def layer(path, structure):
    """Return the layer that runs a SavedModel."""
    return keras.layers.TFSMLayer(path, call_endpoint="serving_default")


def signature(path, structure):
    """Return the function that a SavedModel serves."""
    loaded = tf.saved_model.load(path)
    serve = loaded.signatures["serving_default"]
    (name,) = serve.structured_input_signature[1]

    def call(x):
        return serve(**{name: tf.constant(x)})

    call.loaded, call.variables = loaded, serve.variables
    return call


def restored(path, structure):
    """Return the model of the code, with what a checkpoint restores into it."""
    net = built(structure)
    net.status = tf.train.Checkpoint(model=net).read(path)
    return net


def from_root(path, structure):
    """Return the same of a checkpoint whose root is the model."""
    net = built(structure)
    net.status = tf.train.Checkpoint(net).read(path)
    return net


def listed(path, structure):
    """Return the arrays of a checkpoint, which are told by their names."""
    reader = tf.train.load_checkpoint(path)
    names = reader.get_variable_to_shape_map()
    return [reader.get_tensor(name) for name in names if "VARIABLE" in name]


# Of ways in one list, a later one is tried where those before it do not do it.
MODEL = [("load_model", load_model), ("load_model, compile=False", uncompiled)]
WEIGHTS = [("load_weights", weights)]
ARCHIVE = [MODEL, [*WEIGHTS, ("unzip, load_weights", unzipped)]]
RENAMED = [("renamed .h5, load_model", renamed)]
SAVED = [
    [("load_model", load_model)],
    [("TFSMLayer", layer)],
    [("signature", signature)],
]
LISTED = [("load_checkpoint", listed)]
WAYS = {
    ".keras": [
        MODEL + RENAMED,
        [*ARCHIVE[1], ("renamed, load_weights", renamed_weights)],
    ],
    ".keras, defaults removed": ARCHIVE,
    ".h5": [MODEL, WEIGHTS],
    ".weights.h5": [WEIGHTS],
    "weights .h5": [WEIGHTS],
    "shards": [WEIGHTS],
    "SavedModel, export": SAVED,
    "SavedModel, save": SAVED,
    "Checkpoint": [[("read", restored)], LISTED],
    "weights, TensorFlow format": [WEIGHTS, [("read", from_root)], LISTED],
}
