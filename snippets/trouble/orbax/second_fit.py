# --8<-- [start:setup]
import os

import keras
import numpy as np

x = np.random.normal(5, 3, size=(64, 8)).astype("float32")
y = x[:, :1] - x[:, 1:2]

inputs = keras.Input(shape=(8,))
hidden = keras.layers.Dense(16, name="dense1")(inputs)
hidden = keras.layers.BatchNormalization(name="bn")(hidden)
outputs = keras.layers.Dense(1, name="dense2")(hidden)
model = keras.Model(inputs, outputs)
model.compile(optimizer="adam", loss="mse")


def fit_into(path, epochs, start=0):
    callback = keras.callbacks.OrbaxCheckpoint(path)
    options = {"callbacks": [callback], "initial_epoch": start, "verbose": 0}
    model.fit(x, y, epochs=epochs, **options)


def show(case, path):
    found = keras.saving.load_model(path)
    same = all(map(np.array_equal, model.variables, found.variables))
    print(f"{case}: {os.listdir(path)} {same}")


# --8<-- [end:setup]


# --8<-- [start:see]
folder = os.path.abspath("again")
fit_into(folder, epochs=2)
show("first fit", folder)

fit_into(folder, epochs=1)
show("second fit", folder)
# --8<-- [end:see]

# --8<-- [start:exists]
try:
    fit_into(folder, epochs=2, start=1)
except Exception as error:
    print(f"{type(error).__name__}:", error)
# --8<-- [end:exists]

# --8<-- [start:fix]
fit_into(folder, epochs=3, start=2)
show("continued", folder)
# --8<-- [end:fix]

# --8<-- [start:sure]
new = os.path.abspath("new")
assert not os.path.exists(new)
fit_into(new, epochs=1)
show("new folder", new)
# --8<-- [end:sure]
