# --8<-- [start:listed]
import numpy as np
from keras.layers import BatchNormalization, Conv2D, Dense, Flatten, Input
from keras.models import Model, Sequential

np.random.seed(0)
x = (np.random.randn(16, 6, 6, 2) * 3 + 5).astype("float32")
base = Sequential(name="base")
base.add(Conv2D(3, 3, input_shape=(6, 6, 2)))
base.add(BatchNormalization(momentum=0.5))
base.add(Flatten())
image = Input(shape=(6, 6, 2))
nested = Model(image, Dense(1)(base(image)))
nested.compile("adam", "mse")
nested.fit(x, x[:, 0, 0, :1], epochs=3, verbose=0)
base.save("listed.h5")
nested.save("nested.h5", include_optimizer=False)
np.savez("old.npz", x=x, base=base.predict(x), nested=nested.predict(x))
# --8<-- [end:listed]

# --8<-- [start:shapeless]
import keras
import numpy as np

base = keras.models.load_model("listed.h5", compile=False)
np.testing.assert_allclose(
    base.predict(np.load("old.npz")["x"]), np.load("old.npz")["base"], 1e-3
)
base.save("shapeless.h5")
small = keras.models.Sequential()
small.add(keras.layers.Dense(3, input_shape=(4,)))
small.add(keras.layers.BatchNormalization())
small.save("small.h5")
# --8<-- [end:shapeless]

# --8<-- [start:see]
import keras
import numpy as np

for path in ["listed.h5", "nested.h5", "shapeless.h5", "small.h5"]:
    try:
        model = keras.saving.load_model(path, compile=False)
        print(path, "is loaded, for inputs of shape", model.input_shape)
        model.predict(np.zeros((1, 4)), verbose=0)
    except (TypeError, ValueError) as error:
        said = str(error).replace("\n", " ").partition("Invalid input")
        print(path, type(error).__name__)
        print("   ", "".join(said[1:] if said[1] else said)[:70])
# --8<-- [end:see]

# --8<-- [start:fix]
import json
import shutil

import h5py


def mended(thing, sequential=()):
    """Return a config of Keras 2.0 to 2.3 as this Keras reads it."""
    if isinstance(thing, list):
        if [type(each) for each in thing[:3]] == [str, int, int]:
            name, node, *rest = thing  # an output of a layer
            return [name.replace("/", "_"), node - (name in sequential), *rest]
        return [mended(each, sequential) for each in thing]
    if not isinstance(thing, dict):
        return thing
    if "output_layers" in thing:
        sequential = [
            layer["name"]
            for layer in thing["layers"]
            if layer["class_name"] == "Sequential"
        ]
    thing = {key: mended(value, sequential) for key, value in thing.items()}
    for key, value in thing.items():
        if key.endswith("_initializer") and isinstance(value, dict):
            value["config"].pop("dtype", None)
    if isinstance(thing.get("name"), str):
        thing["name"] = thing["name"].replace("/", "_")
    if thing.get("class_name") == "BatchNormalizationV1":
        thing["class_name"] = "BatchNormalization"
    inner = thing.get("config")
    if thing.get("class_name") == "Sequential":
        if isinstance(inner, list):
            name = thing.get("name", "sequential")
            inner = thing["config"] = {"name": name, "layers": inner}
        inner.pop("build_input_shape", None)
        first = inner["layers"][0]
        shape = first["config"].get("batch_input_shape")
        if shape and first["class_name"] != "InputLayer":
            del first["config"]["batch_input_shape"]
            start = {"class_name": "InputLayer"}
            start["config"] = {"batch_input_shape": shape}
            inner["layers"].insert(0, start)
    if isinstance(inner, dict) and isinstance(inner.get("layer"), dict):
        inner["layer"] |= {"module": "keras.layers", "registered_name": None}
    return thing


def mend(old, new):
    """Write a copy of an .h5 file that this Keras loads, without optimizer."""
    shutil.copy(old, new)
    with h5py.File(new, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        file.attrs["model_config"] = json.dumps(mended(config))
        file.attrs.pop("training_config", None)


# --8<-- [end:fix]

# --8<-- [start:sure]
from bn_tools import batch_norms

old = np.load("old.npz")
for path in ["listed.h5", "nested.h5", "shapeless.h5"]:
    mend(path, "mended.h5")
    model = keras.saving.load_model("mended.h5")
    stored = {}

    def keep(name, thing, stored=stored):
        if "batch_norm" in name and isinstance(thing, h5py.Dataset):
            stored[name.split("/")[-1].removesuffix(":0")] = thing[()]

    with h5py.File(path) as file:
        file["model_weights"].visititems(keep)
    (bn,) = batch_norms(model)
    for array in ["gamma", "beta", "moving_mean", "moving_variance"]:
        np.testing.assert_array_equal(getattr(bn, array), stored[array])
    then = old["nested" if path == "nested.h5" else "base"]
    now = model.predict(old["x"], verbose=0)
    np.testing.assert_allclose(now, then, rtol=1e-3, atol=1e-3)
    print(path, len(stored), "arrays and", len(now), "predictions")
# --8<-- [end:sure]
