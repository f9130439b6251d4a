"""Models that the formats are measured with, and the way through a file."""

import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tests.formats.load import FORMATS

EPSILON = 0.0137
TEMPORARY = tempfile.TemporaryDirectory()
x = np.random.default_rng(0).normal(5.0, 3.0, (64, 4)).astype("float32")
y = x.sum(axis=1, keepdims=True)


@keras.saving.register_keras_serializable(package="formats")
class Block(keras.layers.Layer):
    """A layer of the reader's own, with layers inside."""

    epsilon = EPSILON

    def __init__(self, kept_in="attributes", **kwargs):
        """Create the layers."""
        super().__init__(**kwargs)
        self.kept_in = kept_in
        dense = keras.layers.Dense(8, name="dense")
        first, second = (
            keras.layers.BatchNormalization(epsilon=self.epsilon, name=name)
            for name in ("first", "second")
        )
        if kept_in == "attributes":
            self.dense, self.first, self.second = dense, first, second
        else:
            parts = [dense, first, second]
            self.parts = parts if kept_in == "list" else [parts]

    def call(self, inputs, training=False):
        """Call the layers, one after the other."""
        if self.kept_in == "attributes":
            dense, first, second = self.dense, self.first, self.second
        else:
            dense, first, second = tf.nest.flatten(self.parts)
        return second(first(dense(inputs), training=training), training=training)

    def get_config(self):
        """Return what `__init__` takes."""
        return {**super().get_config(), "kept_in": self.kept_in}


def block(kept_in="attributes"):
    """Return a layer of the reader's own that has the same name each time."""
    return Block(kept_in, name="block")


def build(
    *first, freeze=None, functional=False, loss="mean_squared_error", epsilon=EPSILON
):
    """Return a model as the code has it: compiled, with its optimizer built."""
    keras.utils.set_random_seed(0)
    norms = {"epsilon": epsilon, "momentum": 1 - epsilon}
    layers = [
        *(first or [keras.layers.Dense(8, name="dense")]),
        keras.layers.BatchNormalization(name="bn", **norms),
        keras.layers.BatchNormalization(name="bn_2", **norms),
        keras.layers.Dense(1, name="head"),
    ]
    net = keras.Sequential([keras.Input((4,)), *layers], name="net")
    if functional:
        net = keras.Model(net.inputs[0], net.outputs[0], name="net")
    if freeze:
        freeze(net).trainable = False
    net.compile(optimizer=keras.optimizers.Adam(0.01), loss=loss)
    net.optimizer.build(net.trainable_variables)
    return net


def fill(net):
    """Give each array and each variable of the optimizer values of its own."""
    for i, v in enumerate([*net.weights, *net.optimizer.variables]):
        values = np.full(v.shape, i + 2.0)
        v.assign(values + np.arange(values.size).reshape(values.shape) / 8)
    return net


def train(net, epochs=2):
    """Train for a few steps, in the same order every time."""
    net.fit(x, y, epochs=epochs, batch_size=16, shuffle=False, verbose=0)
    return net


def restore_listed(path, code):
    """Restore a checkpoint that lists the arrays next to the model."""
    net = code()
    tf.train.Checkpoint(model=net, arrays=net.variables).read(path)
    return net


FORMATS_AND_LISTED = FORMATS | {
    "listed": (
        "listed",
        lambda net, path: tf.train.Checkpoint(model=net, arrays=net.variables).write(
            path
        ),
        restore_listed,
    )
}


def trip(name, net, code=build, change=None):
    """Save a model, and load it: by itself, or into the one that the code builds."""
    path, save, load = FORMATS_AND_LISTED[name]
    folder = Path(tempfile.mkdtemp(dir=TEMPORARY.name))
    save(net, f"{folder}/{path}")
    if change:
        change(folder)
    return load(f"{folder}/{path}", code)
