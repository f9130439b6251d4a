# --8<-- [start:model]
import os

import keras
import numpy as np

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
model.fit(
    x,
    y,
    epochs=3,
    callbacks=[keras.callbacks.OrbaxCheckpoint(folder)],
    verbose=0,
)
print(os.listdir("checkpoints"))
# --8<-- [end:save]

# --8<-- [start:load]
reloaded = keras.saving.load_model(folder)
# --8<-- [end:load]


# --8<-- [start:prove]
def compare(model, reloaded):
    starts = {"gamma": 1, "beta": 0, "moving_mean": 0, "moving_variance": 1}
    layers = [
        layer
        for layer in model.layers + reloaded.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    for name, start in starts.items():
        saved, loaded = (getattr(layer, name).numpy() for layer in layers)
        equal = np.array_equal(saved, loaded)
        print(
            f"{name:16} learned: {not np.all(saved == start)} "
            f" equal: {equal!s:5}  at its start: {np.all(loaded == start)}"
        )
    print("predictions equal:", same(model, reloaded))


def same(model, reloaded):
    return np.array_equal(model(x, training=False), reloaded(x, training=False))


compare(model, reloaded)
print("steps taken:", int(reloaded.optimizer.iterations))
# --8<-- [end:prove]

# --8<-- [start:expect]
np.savez(
    "expected.npz",
    *model.get_weights(),
    x=x,
    predictions=model(x, training=False),
)
# --8<-- [end:expect]

# --8<-- [start:reload]
import os

import keras
import numpy as np

reloaded = keras.saving.load_model(os.path.abspath("checkpoints"))
expected = np.load("expected.npz")

for i, array in enumerate(reloaded.get_weights()):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
np.testing.assert_array_equal(
    reloaded(expected["x"], training=False), expected["predictions"]
)
print("arrays and predictions equal in a process that did not save")
# --8<-- [end:reload]

# --8<-- [start:sequential]
import warnings


def build():
    model = keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.Dense(16),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.Dense(1),
        ]
    )
    model.compile(optimizer="adam", loss="mse")
    return model


sequential = build()
sequential_folder = os.path.abspath("sequential")
sequential.fit(
    x,
    y,
    epochs=3,
    callbacks=[keras.callbacks.OrbaxCheckpoint(sequential_folder)],
    verbose=0,
)
with warnings.catch_warnings():
    warnings.simplefilter("error")  # there is none
    untrained = keras.saving.load_model(sequential_folder)
compare(sequential, untrained)
print("steps taken:", int(untrained.optimizer.iterations))
# --8<-- [end:sequential]

# --8<-- [start:paths]
print("saved:     ", sequential.layers[1].moving_mean.path)
print("looked for:", untrained.layers[1].moving_mean.path)
# --8<-- [end:paths]

# --8<-- [start:archive]
sequential = build()
sequential.fit(
    x,
    y,
    epochs=3,
    callbacks=[keras.callbacks.ModelCheckpoint("sequential.keras")],
    verbose=0,
)
compare(sequential, keras.saving.load_model("sequential.keras"))
# --8<-- [end:archive]

# --8<-- [start:second]
first = build()
first_folder = os.path.abspath("first")
first.fit(
    x,
    y,
    epochs=3,
    callbacks=[keras.callbacks.OrbaxCheckpoint(first_folder)],
    verbose=0,
)
second = build()
second.load_weights(first_folder)
compare(first, second)
# --8<-- [end:second]

# --8<-- [start:same_names]
copy = keras.models.clone_model(model)
copy.compile(optimizer="adam", loss="mse")
copy.load_weights(folder)
compare(model, copy)
print("steps taken:", int(copy.optimizer.iterations))
# --8<-- [end:same_names]

# --8<-- [start:uncompiled]
uncompiled = keras.models.clone_model(model)
try:
    uncompiled.load_weights(folder)
except AttributeError as error:
    print("AttributeError:", error)
# --8<-- [end:uncompiled]

# --8<-- [start:compiled]
uncompiled.compile(optimizer="adam", loss="mse")
uncompiled.load_weights(folder)
compare(model, uncompiled)
# --8<-- [end:compiled]

# --8<-- [start:relative]
model.fit(
    x,
    y,
    epochs=1,
    callbacks=[keras.callbacks.OrbaxCheckpoint("relative")],
    verbose=0,
)
print(os.listdir("relative"))
# --8<-- [end:relative]

# --8<-- [start:relative_longer]
try:
    model.fit(
        x,
        y,
        epochs=2,
        callbacks=[keras.callbacks.OrbaxCheckpoint("relative-2")],
        verbose=0,
    )
except ValueError as error:
    print("ValueError:", str(error).partition(". Got")[0])
try:
    keras.saving.load_model("checkpoints")
except Exception as error:
    message = str(error).partition(" due to")[0]
    print(f"{type(error).__name__}: {message} [...]")
# --8<-- [end:relative_longer]

# --8<-- [start:absolute]
folder = os.path.abspath("absolute")
model.fit(
    x,
    y,
    epochs=2,
    callbacks=[keras.callbacks.OrbaxCheckpoint(folder)],
    verbose=0,
)
print("predictions equal:", same(model, keras.saving.load_model(folder)))
# --8<-- [end:absolute]

# --8<-- [start:again]
before = keras.saving.load_model(folder)
model.fit(
    x,
    y,
    epochs=1,
    callbacks=[keras.callbacks.OrbaxCheckpoint(folder)],
    verbose=0,
)
stale = keras.saving.load_model(folder)
print("is the model in memory:", same(model, stale))
print("is the model before this fit:", same(before, stale))
# --8<-- [end:again]

# --8<-- [start:again_longer]
try:
    model.fit(
        x,
        y,
        epochs=2,
        callbacks=[keras.callbacks.OrbaxCheckpoint(folder)],
        verbose=0,
    )
except Exception as error:
    print(f"{type(error).__name__}:", error)
# --8<-- [end:again_longer]

# --8<-- [start:initial_epoch]
model.fit(
    x,
    y,
    initial_epoch=2,
    epochs=4,
    callbacks=[keras.callbacks.OrbaxCheckpoint(folder)],
    verbose=0,
)
print(os.listdir(folder))
print("is the model in memory:", same(model, keras.saving.load_model(folder)))
# --8<-- [end:initial_epoch]
