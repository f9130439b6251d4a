# --8<-- [start:setup]
import json

import h5py
import keras
import numpy as np

x = np.random.normal(5, 3, size=(256, 8)).astype("float32")
model = keras.Sequential(
    [keras.Input(shape=(8,)), keras.layers.BatchNormalization()]
)
model.compile(optimizer="adam", loss="mean_squared_error")
model.fit(x, x, verbose=0)
model.save("new.h5")
model.save("old.h5")

# As an older Keras wrote it: the learning rate is called lr.
with h5py.File("old.h5", "r+") as file:
    config = json.loads(file.attrs["training_config"])
    settings = config["optimizer_config"]["config"]
    settings["lr"] = settings.pop("learning_rate")
    file.attrs["training_config"] = json.dumps(config)
# --8<-- [end:setup]

# --8<-- [start:see]
for path in ["new.h5", "old.h5"]:
    try:
        keras.saving.load_model(path)
        print(f"{path}: loaded")
    except ValueError as error:
        print(f"{path}: ValueError:", error)
# --8<-- [end:see]

# --8<-- [start:fix]
loaded = keras.saving.load_model("old.h5", compile=False)
loaded.compile(optimizer="adam", loss="mean_squared_error")
# --8<-- [end:fix]

# --8<-- [start:sure]
for saved, array in zip(model.weights, loaded.weights, strict=True):
    np.testing.assert_array_equal(saved, array)
print(len(loaded.weights), "arrays equal")

loaded.fit(x, x, verbose=0)
loaded.save("model.keras")
loaded = keras.saving.load_model("model.keras")
print("from .keras: step", int(loaded.optimizer.iterations.numpy()))
# --8<-- [end:sure]
