"""Write a small model in every format, or load what another version wrote.

A script, run in the folder of the files: ``load.py write`` writes them, and ``load.py
read`` loads them under the version that it is run by. For each format it prints, after
a tab, "yes" if all four arrays and the predictions came back, "no" if they differ
without a word, or the name of the exception.
"""

import sys

import keras
import numpy as np
import tensorflow as tf

ARRAYS = ["gamma", "beta", "moving_mean", "moving_variance"]


def build():
    """Return the model as the code has it."""
    net = keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.Dense(8, name="dense"),
            keras.layers.BatchNormalization(name="bn"),
            keras.layers.Dense(1, name="head"),
        ]
    )
    net.compile(optimizer=keras.optimizers.Adam(0.01), loss="mean_squared_error")
    return net


def load_model(path, code):
    """Return the model that the file describes."""
    return keras.models.load_model(path)


def load_weights(path, code):
    """Return the model of the code, with the arrays of the file."""
    net = code()
    net.load_weights(path)
    return net


def restore(path, code):
    """Return the model of the code, with the arrays of the checkpoint."""
    net = code()
    found = tf.train.latest_checkpoint(path)
    net.status = tf.train.Checkpoint(model=net).restore(found)
    return net


def load_npz(path, code):
    """Return the model of the code, with the arrays of the file."""
    net = code()
    with np.load(path) as arrays:
        net.set_weights([arrays[f"arr_{i}"] for i in range(len(arrays.files))])
    return net


FORMATS = {
    ".keras": ("m.keras", lambda net, path: net.save(path), load_model),
    ".weights.h5": (
        "m.weights.h5",
        lambda net, path: net.save_weights(path),
        load_weights,
    ),
    "sharded weights": (
        "m.weights.json",
        lambda net, path: net.save_weights(path, max_shard_size=1),
        load_weights,
    ),
    ".h5": ("m.h5", lambda net, path: net.save(path), load_model),
    "SavedModel": (
        "exported",
        lambda net, path: net.export(path, verbose=False),
        lambda path, code: tf.saved_model.load(path),
    ),
    "Checkpoint": (
        "checkpoint",
        lambda net, path: tf.train.Checkpoint(model=net).save(f"{path}/net"),
        restore,
    ),
    "npz": ("m.npz", lambda net, path: np.savez(path, *net.get_weights()), load_npz),
}
FROM_CODE = {load_weights, restore, load_npz}


def write():
    """Train a model, write it in each format, and what to expect of it."""
    x = np.random.default_rng(0).normal(5.0, 3.0, (64, 4)).astype("float32")
    net = build()
    net.fit(x, x.sum(axis=1, keepdims=True), epochs=2, batch_size=16, verbose=0)
    for path, save, _ in FORMATS.values():
        save(net, path)
    arrays = {a: np.asarray(getattr(net.get_layer("bn"), a)) for a in ARRAYS}
    predictions = np.asarray(net(x, training=False))
    np.savez("expected.npz", x=x, predictions=predictions, **arrays)


def came_back(name, expected):
    """Say whether the arrays, and what is computed with them, are the expected ones."""
    path, _, load = FORMATS[name]
    loaded = load(path, build)
    call = getattr(loaded, "serve", loaded)
    if not np.allclose(call(expected["x"]), expected["predictions"], atol=1e-4):
        return "no"
    if name == "SavedModel":
        return "yes"
    layer = loaded.get_layer("bn")
    equal = [np.array_equal(getattr(layer, a), expected[a]) for a in ARRAYS]
    return "yes" if all(equal) else "no"


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write()
        sys.exit()
    expected = dict(np.load("expected.npz"))
    for name in FORMATS:
        try:
            result = came_back(name, expected)
        except Exception as error:
            result = type(error).__name__
        print(name, result, sep="\t", flush=True)
