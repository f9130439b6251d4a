"""Three small models that Keras 2 and Keras 3 build from the same code.

Layers are of equal width wherever they can be, so that arrays in a wrong place fit
there, and are found by their values only.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

# tf_keras, if TF_USE_LEGACY_KERAS=1 is in the environment.
keras = tf.keras

STATISTICS = ("gamma", "beta", "moving_mean", "moving_variance")
ARRAYS = ("kernel", "bias", *STATISTICS)


def norm(**settings):
    """Return a layer whose settings are not the usual ones either."""
    return keras.layers.BatchNormalization(epsilon=0.01, momentum=0.9, **settings)


@keras.utils.register_keras_serializable(package="exchange")
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


@keras.utils.register_keras_serializable(package="exchange")
class Net(keras.Model):
    """A model of the reader's own, with layers of the reader's own in attributes."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first = Block(5)
        self.second = Block(5)
        self.head = keras.layers.Dense(3)

    def call(self, inputs, training=False):
        inputs = self.first(inputs, training=training)
        return self.head(self.second(inputs, training=training))

    def get_config(self):
        return {}


def sequential():
    """Return a flat Sequential model; its layers have the names that Keras gives."""
    return keras.Sequential(
        [
            keras.Input(shape=(6, 6, 4)),
            keras.layers.Conv2D(4, 3, padding="same"),
            norm(),
            keras.layers.Conv2D(4, 3, padding="same", activation="relu"),
            norm(),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3),
        ]
    )


def nested():
    """Return a functional model with a frozen model inside, as for fine-tuning."""
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


STRUCTURES = {"Sequential": sequential, "nested": nested, "own class": Net}


def shape(structure):
    """Return the shape of the inputs of a structure."""
    return (8, 6, 6, 4) if structure == "Sequential" else (8, 5)


def built(structure):
    """Return the model as the code has it: built, compiled, its arrays at random."""
    keras.backend.clear_session()  # a new process counts the names of layers from 0
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
    return {
        f"{number}/{name}": getattr(leaf, name)
        for number, leaf in enumerate(leaves(net))
        for name in ARRAYS
        if getattr(leaf, name, None) is not None
    }


def trained(structure):
    """Return the model to save, its statistics far from 0 and 1, and inputs."""
    net = built(structure)
    rng = np.random.default_rng(0)
    x = rng.normal(2.0, 3.0, shape(structure)).astype("float32")
    net.optimizer.build(net.trainable_variables)
    for name, variable in variables(net).items():
        low, high = (0.5, 4.0) if name.endswith(("gamma", "variance")) else (-3.0, 3.0)
        variable.assign(rng.uniform(low, high, tuple(variable.shape)))
    return net, x
