# --8<-- [start:setup]
import os
import warnings

import keras
import numpy as np

x = np.random.normal(5, 3, size=(64, 8)).astype("float32")
y = x[:, :1] - x[:, 1:2]


@keras.saving.register_keras_serializable(package="demo")
class Unit(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(16)
        self.bn = keras.layers.BatchNormalization()

    def build(self, shape):
        self.dense.build(shape)
        self.bn.build((*shape[:-1], 16))

    def call(self, x, training=False):
        return self.bn(self.dense(x), training=training)


@keras.saving.register_keras_serializable(package="demo")
class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.unit = Unit()
        self.out = keras.layers.Dense(1)

    def call(self, x, training=False):
        return self.out(self.unit(x, training=training))


def functional(block):
    inputs = keras.Input(shape=(8,))
    return keras.Model(inputs, keras.layers.Dense(1)(block(inputs)))


def layers():
    return [keras.layers.Dense(16), keras.layers.BatchNormalization()]


def built_in(x):
    dense, bn = layers()
    return bn(dense(x))


inner = keras.Input(shape=(8,))
structures = {
    "functional": functional(built_in),
    "functional base in it": functional(keras.Model(inner, built_in(inner))),
    "Sequential block in it": functional(keras.Sequential(layers())),
    "custom layer in it": functional(Unit()),
    "Sequential": keras.Sequential(
        [keras.Input(shape=(8,)), *layers(), keras.layers.Dense(1)]
    ),
    "subclassed": Net(),
}


def equal(one, other):
    pairs = zip(one.variables, other.variables, strict=False)
    return sum(np.array_equal(a, b) for a, b in pairs)


# --8<-- [end:setup]

# --8<-- [start:see]
print(f"{'':24}Orbax    warnings")
for name, net in structures.items():
    net.compile(optimizer="sgd", loss="mse", run_eagerly=True)
    callbacks = [
        keras.callbacks.OrbaxCheckpoint(os.path.abspath(name)),
        keras.callbacks.ModelCheckpoint(f"{name}.keras"),
    ]
    net.fit(x, y, callbacks=callbacks, verbose=0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loaded = keras.saving.load_model(os.path.abspath(name))
    print(f"{name:24}{equal(net, loaded)} of 8   {len(caught)}")
# --8<-- [end:see]

# --8<-- [start:why]
import re

sequential = structures["Sequential"]
loaded = keras.saving.load_model(os.path.abspath("Sequential"))
for where, net in {"saved:     ": sequential, "looked for:": loaded}.items():
    path = net.layers[1].moving_mean.path
    print(where, re.sub(r"_\d+/", "_N/", path))  # N: how many came before
# --8<-- [end:why]

# --8<-- [start:fix]
print(f"{'':24}.keras")
for name, net in structures.items():
    archive = keras.saving.load_model(f"{name}.keras")
    print(f"{name:24}{equal(net, archive)} of 8")
# --8<-- [end:fix]

# --8<-- [start:sure]
from bn_tools import compare, write_record

for name in ["functional", "Sequential"]:
    write_record("record.npz", structures[name], x[:32])
    for file in [f"{name}.keras", os.path.abspath(name)]:
        found = compare("record.npz", keras.saving.load_model(file))
        print(f"{name:10} {os.path.basename(file):16} differs: {found != []}")
# --8<-- [end:sure]
