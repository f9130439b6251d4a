# --8<-- [start:imports]
import keras
import numpy as np

# --8<-- [end:imports]


# --8<-- [start:build]
def build_model():
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.Dense(4, name="dense"),
            keras.layers.BatchNormalization(momentum=0.9, name="bn"),
        ]
    )


# --8<-- [end:build]

# --8<-- [start:train]
x = np.random.normal(5, 3, size=(256, 8)).astype("float32")
model = build_model()
model.compile("adam", "mse")
model.fit(x, x[:, :4], verbose=0)
model.save("newer.keras")
predictions = model(x, training=False)
np.savez("expected.npz", *model.get_weights(), x=x, predictions=predictions)
# --8<-- [end:train]

# --8<-- [start:see]
build_model().save("own.keras")
for path in ["own.keras", "newer.keras"]:
    try:
        keras.saving.load_model(path)
        print(f"{path}: loaded")
    except TypeError as error:
        lines = str(error).splitlines()
        kind, _, said = lines[0].partition("> ")
        print(f"{path}: TypeError: {kind}>")
        print(said.partition(". ")[0])
        print("...", lines[-1][-60:])
# --8<-- [end:see]


# --8<-- [start:check]
def check(model):
    expected = np.load("expected.npz")
    for i, array in enumerate(model.get_weights()):
        np.testing.assert_array_equal(array, expected[f"arr_{i}"])
    predictions = model(expected["x"], training=False)
    wanted = expected["predictions"]
    # Another version may add up in another order.
    np.testing.assert_allclose(predictions, wanted, rtol=1e-4, atol=1e-4)
    print(i + 1, "arrays equal,", len(wanted), "predictions close")
    print("moving_mean still 0:", not np.any(model.layers[-1].moving_mean))


# --8<-- [end:check]

# --8<-- [start:weights]
model = build_model()
model.load_weights("newer.keras")
check(model)
# --8<-- [end:weights]

# --8<-- [start:copy]
import inspect
import json
import zipfile

import keras

# Read from the configuration, or with another default in an older Keras.
KEPT = {"offset", "value", "ema_overwrite_frequency"}


def for_older_keras(path, new):
    """Copy a .keras file, to a new name, without what has its default."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(new, "x") as copy:
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
            for name in set(config) & set(known) - KEPT:
                default = known[name].default
                # The numbers of an optimizer may have had another default.
                if config[name] == default and (
                    default is None or group is not keras.optimizers
                ):
                    del config[name]
    for ends in ["input_layers", "output_layers"]:
        match part.get(ends):
            # Keras 3.3 expects a list of inputs and outputs, also for one.
            case [str(), int(), int()]:
                part[ends] = [part[ends]]
    return part


# --8<-- [end:copy]

# --8<-- [start:use]
for_older_keras("newer.keras", "older.keras")
# --8<-- [end:use]

# --8<-- [start:open]
model = keras.saving.load_model("older.keras")
print("trained to step", model.optimizer.iterations.numpy())
check(model)
# --8<-- [end:open]

# --8<-- [start:today]
one, other = map(keras.saving.load_model, ["newer.keras", "older.keras"])
print("same settings:", one.get_config() == other.get_config())
print("same predictions:", np.array_equal(one(x), other(x)))
# --8<-- [end:today]
