# --8<-- [start:model]
import keras
import numpy as np


def build_model():
    inputs = keras.Input(shape=(8,))
    x = keras.layers.Dense(4, activation="relu")(inputs)
    x = keras.layers.BatchNormalization(epsilon=1e-5, name="bn")(x)
    return keras.Model(inputs, keras.layers.Dense(1)(x))


# --8<-- [end:model]

# --8<-- [start:train]
x = np.random.normal(5, 3, size=(256, 8)).astype("float32")
model = build_model()
model.compile("adam", "mse")
model.fit(x, x[:, :1], verbose=0)
model.save("new.keras")
model.save_weights("new.weights.h5")
predictions = model(x, training=False)
np.savez("expected.npz", *model.get_weights(), x=x, predictions=predictions)
# --8<-- [end:train]

# --8<-- [start:check]
from tensorflow import keras
import numpy as np


def check(model):
    expected = np.load("expected.npz")
    for i, array in enumerate(model.get_weights()):
        np.testing.assert_array_equal(array, expected[f"arr_{i}"])
    predictions = model(expected["x"], training=False)
    wanted = expected["predictions"]
    # Another version may add up in another order.
    np.testing.assert_allclose(predictions, wanted, rtol=1e-4, atol=1e-4)
    return f"{i + 1} arrays equal, {len(predictions)} predictions close"


# --8<-- [end:check]

# --8<-- [start:read]
for path in ["new.keras", "new.weights.h5"]:
    model = build_model()
    model.load_weights(path)
    print(path, check(model))
# --8<-- [end:read]

# --8<-- [start:read_2_15]
model = build_model()
model.load_weights("new.keras")
print(check(model))
# --8<-- [end:read_2_15]

# --8<-- [start:copy]
import inspect
import json
import zipfile

import keras


def for_older_keras(path, new):
    """Copy a .keras file without the arguments that have their default."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(new, "w") as copy:
        for name in old.namelist():
            data = old.read(name)
            if name == "config.json":
                data = json.dumps(json.loads(data, object_hook=shorten))
            copy.writestr(name, data)


def shorten(part):
    """Leave out the defaults in one part of the configuration."""
    config, module = part.get("config"), str(part.get("module"))
    if module.startswith("keras.") and isinstance(config, dict):
        group = getattr(keras, module.removeprefix("keras."), None)
        made_by = getattr(group, part["class_name"], None)
        if inspect.isclass(made_by):
            known = inspect.signature(made_by.__init__).parameters
            for name in set(config) & set(known) - {"offset"}:
                if config[name] == known[name].default:
                    del config[name]
    for ends in ["input_layers", "output_layers"]:
        # Keras 3.3 expects a list of inputs and outputs, also for one.
        if isinstance(part.get(ends), list) and isinstance(part[ends][0], str):
            part[ends] = [part[ends]]
    return part


# --8<-- [end:copy]

# --8<-- [start:use]
for_older_keras("new.keras", "older.keras")
# --8<-- [end:use]

# --8<-- [start:open]
import keras

for path in ["new.keras", "older.keras"]:
    try:
        model = keras.saving.load_model(path)
    except TypeError as error:
        print(f"{path}: TypeError: ...", str(error)[-50:])
    else:
        step = model.optimizer.iterations.numpy()
        print(f"{path}: {check(model)}, step {step}")
# --8<-- [end:open]

# --8<-- [start:open_3_3]
model = keras.saving.load_model("older.keras")
print(check(model))
# --8<-- [end:open_3_3]

# --8<-- [start:today]
copied = keras.saving.load_model("older.keras")
print(copied.get_layer("bn").get_config() == model.get_layer("bn").get_config())
# --8<-- [end:today]

# --8<-- [start:versions]
import importlib.metadata

import keras
import tensorflow as tf

print("TensorFlow", tf.__version__, "with Keras", keras.__version__)
package = importlib.metadata.packages_distributions()["tensorflow"][0]
for needs in importlib.metadata.requires(package):
    if needs.startswith("keras"):
        print("needs", needs)
# --8<-- [end:versions]
