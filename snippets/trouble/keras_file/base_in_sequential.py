# --8<-- [start:build]
import keras
import numpy as np


def make_base():
    inputs = keras.Input(shape=(8, 8, 3))
    x = keras.layers.Conv2D(4, 3, name="conv")(inputs)
    outputs = keras.layers.BatchNormalization(name="base_bn")(x)
    return keras.Model(inputs, outputs, name="base")


def layers():
    yield make_base()
    yield keras.layers.GlobalAveragePooling2D(name="pool")
    yield keras.layers.BatchNormalization(name="bn")
    yield keras.layers.Dense(2, name="head")


def build_sequential():
    return keras.Sequential([keras.Input(shape=(8, 8, 3)), *layers()])


# --8<-- [end:build]


# --8<-- [start:write]
def build_functional():
    x = inputs = keras.Input(shape=(8, 8, 3))
    for layer in layers():
        x = layer(x)
    return keras.Model(inputs, x)


def build_behind(layer):
    return keras.Sequential([keras.Input(shape=(8, 8, 3)), make_base(), layer])


def load(path):
    try:
        keras.saving.load_model(path, compile=False)
        print(f"{path}: loaded")
    except ValueError as error:
        print(f"{path}:", f"ValueError: {error}".split(" Inputs")[0], sep="\n")


x = np.random.default_rng(0).normal(5, 3, (64, 8, 8, 3)).astype("float32")
for build in [build_sequential, build_functional]:
    model = build()
    model.compile("adam", "mse")
    model.fit(x, x[:, 0, 0, :2], epochs=2, verbose=0)
    name = build.__name__.removeprefix("build_")
    model.save(f"{name}.keras")
    arrays = dict(enumerate(model.get_weights()))
    out = model.predict(x, verbose=0)
    np.savez(
        f"{name}.npz",
        x=x[:8],
        out=out[:8],
        **{str(i): arrays[i] for i in arrays},
    )
    load(f"{name}.keras")
build_behind(keras.layers.Dense(2)).save("dense.keras")
build_behind(keras.layers.BatchNormalization()).save("norm.keras")
# --8<-- [end:write]

# --8<-- [start:see]
for name in ["sequential", "functional"]:
    try:
        keras.saving.load_model(f"{name}.keras")
        print(f"{name}: loaded")
    except ValueError as error:
        print(f"{name}:", f"ValueError: {error}".split(" Inputs")[0], sep="\n")
# --8<-- [end:see]

# --8<-- [start:behind]
import re

images = np.zeros((16, 8, 8, 3), "float32")
dense = keras.saving.load_model("dense.keras")
print("dense: predictions of shape", dense.predict(images, verbose=0).shape)
norm = keras.saving.load_model("norm.keras")
try:
    norm.predict(images, verbose=0)
except AttributeError as error:
    message = re.search("'list' .*'shape'", str(error))[0]
    print("norm: AttributeError:", message)
# --8<-- [end:behind]

# --8<-- [start:why]
import json
import zipfile

with zipfile.ZipFile("sequential.keras") as file:
    config = json.loads(file.read("config.json"))
print("file: ", config["config"]["layers"][1]["config"]["output_layers"])
print("today:", make_base().get_config()["output_layers"])
# --8<-- [end:why]

# --8<-- [start:code]
model = build_sequential()
model.load_weights("sequential.keras")
# --8<-- [end:code]

# --8<-- [start:copy]
import json
import zipfile


def one_output(path, new):
    """Copy a .keras file whose inner models return a list of one output."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(new, "x") as copy:
        for name in old.namelist():
            data = old.read(name)
            if name == "config.json":
                config = json.loads(data)
                unpack(config["config"])
                data = json.dumps(config)
            copy.writestr(name, data)


def unpack(part):
    """Take the one input and output of each inner model out of its list."""
    for inner in part.values() if isinstance(part, dict) else part:
        if isinstance(inner, dict):
            for ends in ["input_layers", "output_layers"]:
                match inner.get(ends):
                    case [[str(), int(), int()] as only]:
                        inner[ends] = only
        if isinstance(inner, dict | list):
            unpack(inner)


# --8<-- [end:copy]

# --8<-- [start:use]
one_output("sequential.keras", "copy.keras")
copy = keras.saving.load_model("copy.keras")
print("trained to step", int(copy.optimizer.iterations))
# --8<-- [end:use]

# --8<-- [start:sure]
functional = keras.saving.load_model("functional.keras")
for name, loaded in [
    ("sequential", model),
    ("sequential", copy),
    ("functional", functional),
]:
    expected = np.load(f"{name}.npz")
    arrays = loaded.get_weights()
    for i, array in enumerate(arrays):
        np.testing.assert_array_equal(array, expected[str(i)])
    assert np.any(loaded.get_layer("bn").moving_mean)
    out = loaded.predict(expected["x"], verbose=0)
    np.testing.assert_allclose(out, expected["out"], rtol=1e-4, atol=1e-4)
    print(f"{name}: {len(arrays)} arrays equal, and the predictions")
# --8<-- [end:sure]

# --8<-- [start:behind_sure]
for name in ["dense", "norm"]:
    one_output(f"{name}.keras", f"{name}-copy.keras")
    copy = keras.saving.load_model(f"{name}-copy.keras")
    print(f"{name}: {copy.predict(images, verbose=0).shape}")
# --8<-- [end:behind_sure]

# --8<-- [start:today]
build_sequential().save("today.keras")
print(type(keras.saving.load_model("today.keras")).__name__, "loaded")
# --8<-- [end:today]
