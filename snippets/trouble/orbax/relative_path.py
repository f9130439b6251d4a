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
model.compile(optimizer="sgd", loss="mse")


def fit_into(path, epochs, start=0):
    callback = keras.callbacks.OrbaxCheckpoint(path)
    options = {"callbacks": [callback], "initial_epoch": start, "verbose": 0}
    model.fit(x, y, epochs=epochs, **options)


# --8<-- [end:setup]


# --8<-- [start:see]
fit_into("relative", epochs=1)
print(os.listdir("relative"))
# --8<-- [end:see]

# --8<-- [start:longer]
try:
    fit_into("relative-2", epochs=2)
except ValueError as error:
    print("ValueError:", str(error).partition(". Got")[0])
# --8<-- [end:longer]

# --8<-- [start:loading]
fit_into(os.path.abspath("absolute"), epochs=1)
try:
    keras.saving.load_model("absolute")
except Exception as error:
    message = str(error).partition(" due to")[0]
    print(f"{type(error).__name__}: {message} [...]")
# --8<-- [end:loading]

# --8<-- [start:fix]
folder = os.path.abspath("checkpoints")
fit_into(folder, epochs=1)
loaded = keras.saving.load_model(folder)
# --8<-- [end:fix]

# --8<-- [start:sure]
for path in ["relative", "checkpoints"]:
    print(f"{path:11} complete: {'0' in os.listdir(path)}")
same = map(np.array_equal, model.variables, loaded.variables)
print("all arrays equal:", all(same))
# --8<-- [end:sure]
