# --8<-- [start:model]
import os

import keras
import numpy as np

from bn_tools import compare, write_record

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(500, 8)).astype("float32")
y = x[:, :1] - x[:, 1:2]

inputs = keras.Input(shape=(8,))
hidden = keras.layers.Dense(16, name="dense1")(inputs)
hidden = keras.layers.BatchNormalization(name="bn")(hidden)
hidden = keras.layers.ReLU(name="relu")(hidden)
outputs = keras.layers.Dense(1, name="dense2")(hidden)
model = keras.Model(inputs, outputs)
model.compile(optimizer="adam", loss="mse")
# --8<-- [end:model]

# --8<-- [start:save]
folder = os.path.abspath("checkpoints")
callback = keras.callbacks.OrbaxCheckpoint(folder)
model.fit(x, y, epochs=3, callbacks=[callback], verbose=0)
write_record("record.npz", model, x[:32])
print(os.listdir("checkpoints"))
# --8<-- [end:save]

# --8<-- [start:load]
reloaded = keras.saving.load_model(folder)
print(compare("record.npz", reloaded))
# --8<-- [end:load]

# --8<-- [start:untrained]
untrained = keras.models.clone_model(model)
print(len(compare("record.npz", untrained)), "differences")
# --8<-- [end:untrained]

# --8<-- [start:reload]
import os

import keras

from bn_tools import compare

loaded = keras.saving.load_model(os.path.abspath("checkpoints"))
print("not the same:", compare("record.npz", loaded))
print("continues after step", int(loaded.optimizer.iterations))
# --8<-- [end:reload]


# --8<-- [start:structures]
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
# --8<-- [end:structures]

# --8<-- [start:table]
import re
import warnings


def equal(one, other):
    pairs = zip(one.variables, other.variables, strict=False)
    return sum(np.array_equal(a, b) for a, b in pairs)


print(f"{'':24}Orbax    .keras   warnings from Orbax")
for name, net in structures.items():
    net.compile(optimizer="adam", loss="mse", run_eagerly=True)
    target = os.path.abspath(name)
    callbacks = [
        keras.callbacks.OrbaxCheckpoint(target),
        keras.callbacks.ModelCheckpoint(f"{name}.keras"),
    ]
    net.fit(x[:64], y[:64], callbacks=callbacks, verbose=0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        through_orbax = keras.saving.load_model(target)
    archive = keras.saving.load_model(f"{name}.keras")
    found = equal(net, through_orbax), equal(net, archive)
    print(f"{name:24}{found[0]} of 8   {found[1]} of 8   {len(caught)}")
# --8<-- [end:table]

# --8<-- [start:paths]
sequential = structures["Sequential"]
loaded = keras.saving.load_model(os.path.abspath("Sequential"))
for where, net in {"saved:     ": sequential, "looked for:": loaded}.items():
    path = net.layers[1].moving_mean.path
    print(where, re.sub(r"_\d+/", "_N/", path))  # N: how many came before
# --8<-- [end:paths]


# --8<-- [start:names]
def load_into(net):
    net.compile(optimizer="adam", loss="mse")
    net.load_weights(folder)
    return net


def renamed(layer):
    return layer.from_config(
        {**layer.get_config(), "name": f"new_{layer.name}"}
    )


clone = keras.models.clone_model
uncompiled = clone(model)
uncompiled.load_weights(folder)
for case, net in {
    "the same names": load_into(clone(model)),
    "other names": load_into(clone(model, clone_function=renamed)),
    "not loaded": clone(model),
    "uncompiled": uncompiled,
}.items():
    print(f"{case:15} {equal(model, net)} of 8 arrays equal")
print("step:", int(load_into(clone(model)).optimizer.iterations), "of 48")
# --8<-- [end:names]


# --8<-- [start:relative]
def fit_into(path, epochs, start=0):
    callback = keras.callbacks.OrbaxCheckpoint(path)
    model.fit(
        x,
        y,
        initial_epoch=start,
        epochs=epochs,
        callbacks=[callback],
        verbose=0,
    )


def same(net):
    return np.array_equal(model(x, training=False), net(x, training=False))


fit_into("relative", epochs=1)
print(os.listdir("relative"))
fit_into(os.path.abspath("absolute"), epochs=1)
print(os.listdir("absolute"))
# --8<-- [end:relative]

# --8<-- [start:relative_longer]
try:
    keras.saving.load_model("absolute")
except Exception as error:
    message = str(error).partition(" due to")[0]
    print(f"{type(error).__name__}: {message} [...]")
print("absolute:", same(keras.saving.load_model(os.path.abspath("absolute"))))
try:
    fit_into("relative-2", epochs=2)
except ValueError as error:
    print("ValueError:", str(error).partition(". Got")[0])
# --8<-- [end:relative_longer]

# --8<-- [start:again]
folder = os.path.abspath("again")
fit_into(folder, epochs=2)
before = keras.saving.load_model(folder)
print("first fit:", os.listdir(folder), same(before))

fit_into(folder, epochs=1)
print("second fit:", os.listdir(folder), same(keras.saving.load_model(folder)))

fit_into(folder, epochs=3, start=2)
print("continued:", os.listdir(folder), same(keras.saving.load_model(folder)))

try:
    fit_into(folder, epochs=3, start=2)
except Exception as error:
    print(f"{type(error).__name__}:", error)
# --8<-- [end:again]
