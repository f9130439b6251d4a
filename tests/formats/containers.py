"""Keep layers in containers, save them, load them, and print what came back, as JSON.

A script: ``containers.py write FOLDER`` saves a model for each structure, and
``containers.py read FOLDER`` loads them; either under the Keras that is installed, so
that one version can read what another one wrote. The result maps each row of the table
to its cell: the outcomes of all structures and formats that belong to the row.
"""

import json
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

FLAT = {
    "attributes": None,
    "list": lambda a, b, c, d: [a, b, c, d],
    "tuple": lambda a, b, c, d: (a, b, c, d),
    "dict": lambda a, b, c, d: {"a": a, "b": b, "c": c, "d": d},
}
NESTED = {
    "list of lists": lambda a, b, c, d: [[a, b], [c, d]],
    "tuple of tuples": lambda a, b, c, d: ((a, b), (c, d)),
    "list of dicts": lambda a, b, c, d: [{"a": a, "b": b}, {"a": c, "b": d}],
    "dict of lists": lambda a, b, c, d: {"a": [a, b], "b": [c, d]},
}


def containing(base):
    """Return a class, derived from `base`, that keeps its layers in a container."""

    class Containing(base):
        """Two layers, each with BatchNormalization after it."""

        def __init__(self, place, **kwargs):
            """Create the layers and put them into the container."""
            super().__init__(**kwargs)
            self.place = place
            layers = []
            for _ in range(2):
                layers += [keras.layers.Dense(4), keras.layers.BatchNormalization()]
            if place == "attributes":
                for i, layer in enumerate(layers):
                    setattr(self, f"block_{i}", layer)
            else:
                self.blocks = {**FLAT, **NESTED}[place](*layers)

        def call(self, x, training=False):
            """Call the layers, one after the other."""
            if self.place == "attributes":
                layers = [getattr(self, f"block_{i}") for i in range(4)]
            else:
                layers = tf.nest.flatten(self.blocks)
            dense_1, bn_1, dense_2, bn_2 = layers
            x = bn_1(dense_1(x), training=training)
            return bn_2(dense_2(x), training=training)

        def get_config(self):
            """Return the name of the container."""
            return {"place": self.place}

    Containing.__name__ = f"Containing{base.__name__}"
    return keras.saving.register_keras_serializable(package="tests")(Containing)


CLASSES = {
    "`keras.layers.Layer`": containing(keras.layers.Layer),
    "`keras.Model`": containing(keras.Model),
}


def build(cls, place):
    """Return a functional model of one such layer or model, and nothing else."""
    inputs = keras.Input(shape=(4,))
    return keras.Model(inputs, cls(place)(inputs))


def arrays(model):
    """Return arrays for the model, each unlike its starting value and the others."""
    return [
        np.full(v.shape, i + 2.0) + np.arange(v.shape[-1])
        for i, v in enumerate(model.weights)
    ]


def write_checkpoint(model, path):
    """Write a checkpoint that lists the arrays, next to the model."""
    tf.train.Checkpoint(model=model, arrays=model.variables).write(path)


def read_checkpoint(model, path):
    """Restore a checkpoint that lists the arrays."""
    checkpoint = tf.train.Checkpoint(model=model, arrays=model.variables)
    checkpoint.read(path).assert_existing_objects_matched()
    return model


def read_npz(model, path):
    """Set the arrays of a model."""
    with np.load(path) as file:
        model.set_weights([file[f"arr_{i}"] for i in range(len(file.files))])
    return model


def read_weights(model, path):
    """Load the weights of a model."""
    model.load_weights(path)
    return model


FORMATS = {
    ".keras": (
        lambda model, path: model.save(path),
        lambda model, path: keras.models.load_model(path),
    ),
    ".weights.h5": (lambda model, path: model.save_weights(path), read_weights),
    ".checkpoint": (write_checkpoint, read_checkpoint),
    ".npz": (lambda model, path: np.savez(path, *model.get_weights()), read_npz),
}
FAMILIES = {
    "`.keras`, `.weights.h5`": [".keras", ".weights.h5"],
    "npz, checkpoint with `arrays=`": [".npz", ".checkpoint"],
}
PLACES = {
    "attributes, a list, a tuple, a dict": FLAT,
    "containers within a container": NESTED,
}


def write(folder):
    """Save a model of each class and container in each format."""
    Path(folder).mkdir()
    for cls in CLASSES.values():
        for place in [*FLAT, *NESTED]:
            model = build(cls, place)
            model.set_weights(arrays(model))
            for extension, (save, _) in FORMATS.items():
                save(model, f"{folder}/{cls.__name__} {place}{extension}")


def read(folder):
    """Load all models of a folder; return the outcomes by row of the table."""
    found = {}
    for base, cls in CLASSES.items():
        for where, places in PLACES.items():
            for place in places:
                model = build(cls, place)
                for family, extensions in FAMILIES.items():
                    row = f"{base} | {where} | {family}"
                    for extension in extensions:
                        path = f"{folder}/{cls.__name__} {place}{extension}"
                        outcome = came_back(model, extension, path)
                        found.setdefault(row, set()).add(outcome)
    return {row: ", ".join(sorted(outcomes)) for row, outcomes in found.items()}


def came_back(model, extension, path):
    """Load a file, into the model unless it brings its own; count the arrays."""
    expected = arrays(model)
    model.set_weights([0.0 * array for array in expected])
    try:
        loaded = FORMATS[extension][1](model, path).get_weights()
    except Exception as error:
        return f"`{type(error).__name__}`"
    equal = sum(map(np.array_equal, loaded, expected))
    return {len(expected): "all", 0: "none"}.get(equal, f"{equal} of {len(expected)}")


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(sys.argv[2])
    else:
        print(json.dumps(read(sys.argv[2])))
