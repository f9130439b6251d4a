"""Load a file that another version wrote, and print whether all four arrays came back.

A script: ``load.py FORMAT FILE EXPECTED``, run by the version that reads. It prints
"yes", "no" if the arrays differ without a word, or the name of the exception.
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


def load(name, path):
    """Return the model, or the SavedModel, that the file gives back."""
    if name in (".keras", ".h5"):
        return keras.models.load_model(path)
    if name == "SavedModel":
        return tf.saved_model.load(path)
    net = build()
    if name == "Checkpoint":
        found = tf.train.latest_checkpoint(path)
        tf.train.Checkpoint(model=net).restore(found).expect_partial()
    elif name == "npz":
        arrays = np.load(path)
        net.set_weights([arrays[f"arr_{i}"] for i in range(len(arrays))])
    else:
        net.load_weights(path)
    return net


def came_back(name, path, expected):
    """Say whether the arrays, and what is computed with them, are the expected ones."""
    loaded = load(name, path)
    call = getattr(loaded, "serve", loaded)
    if not np.allclose(call(expected["x"]), expected["predictions"], atol=1e-4):
        return "no"
    if name == "SavedModel":
        return "yes"
    layer = loaded.get_layer("bn")
    return (
        "yes"
        if all(
            np.array_equal(np.asarray(getattr(layer, a)), expected[a]) for a in ARRAYS
        )
        else "no"
    )


if __name__ == "__main__":
    try:
        print(came_back(sys.argv[1], sys.argv[2], np.load(sys.argv[3])))
    except Exception as error:
        print(type(error).__name__)
