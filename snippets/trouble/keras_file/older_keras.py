# --8<-- [start:setup]
import json
import zipfile

import keras
import numpy as np


def build_model():
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.Dense(4, name="dense"),
            keras.layers.BatchNormalization(name="bn"),
        ]
    )


x = np.random.normal(5, 3, size=(256, 8)).astype("float32")
model = build_model()
for _ in range(100):
    model(x, training=True)
model.save("model.keras")

# As a Keras of next year would write it: with an argument that this one lacks.
with (
    zipfile.ZipFile("model.keras") as old,
    zipfile.ZipFile("newer.keras", "w") as new,
):
    for name in old.namelist():
        data = old.read(name)
        if name == "config.json":
            config = json.loads(data)
            bn = config["config"]["layers"][-1]["config"]
            bn["added_next_year"] = None
            data = json.dumps(config)
        new.writestr(name, data)
# --8<-- [end:setup]

# --8<-- [start:see]
for path in ["model.keras", "newer.keras"]:
    try:
        keras.saving.load_model(path)
        print(f"{path}: loaded")
    except TypeError as error:
        lines = str(error).splitlines()
        print(f"{path}: TypeError:", lines[0].partition(". ")[0])
        print(lines[-1][-60:])
# --8<-- [end:see]

# --8<-- [start:fix]
with zipfile.ZipFile("newer.keras") as archive:
    archive.extract("model.weights.h5")

rebuilt = build_model()
rebuilt.load_weights("model.weights.h5")
# --8<-- [end:fix]

# --8<-- [start:sure]
for saved, loaded in zip(model.weights, rebuilt.weights, strict=True):
    np.testing.assert_array_equal(saved, loaded)
np.testing.assert_array_equal(
    model(x, training=False), rebuilt(x, training=False)
)
print(len(rebuilt.weights), "arrays and", len(x), "predictions equal")
print("moving_mean still 0:", not np.any(rebuilt.get_layer("bn").moving_mean))
# --8<-- [end:sure]
