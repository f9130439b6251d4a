# --8<-- [start:build]
import keras
from keras import layers


AS_IS = {}


def build(first=AS_IS, second=AS_IS, third=None, relu_first=False):
    def bn(name, settings):
        if settings is None:
            return []
        settings = {"name": name, "momentum": 0.9} | settings
        return [layers.BatchNormalization(**settings)]

    middle = [*bn("bn2", second), layers.ReLU(name="relu")]
    return keras.Sequential(
        [
            keras.Input(shape=(8, 8), name="input"),
            *bn("bn1", first),
            layers.Conv1D(8, 3, padding="same", name="conv"),
            *(reversed(middle) if relu_first else middle),
            *bn("bn3", third),
            layers.Flatten(name="flatten"),
            layers.Dense(3, name="dense"),
        ],
        name="net",
    )


# --8<-- [end:build]


# --8<-- [start:train]
import numpy as np

keras.utils.set_random_seed(0)
means = 0.1 * np.arange(8)
x = np.random.normal(means, 0.01, size=(256, 8, 8)).astype("float32")
y = np.argmax(x[:, 0, :3] - means[:3], axis=1)


def train(**changes):
    trained = build(**changes)
    trained.compile(
        optimizer=keras.optimizers.Adam(0.01),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    trained.fit(x, y, epochs=15, verbose=0)
    # A copy without an optimizer, so that the files hold the layers only.
    model = build(**changes)
    model.set_weights(trained.get_weights())
    return model


model = train()
predictions = model(x, training=False)
# --8<-- [end:train]


# --8<-- [start:save]
import tensorflow as tf


def save(model, name):
    model.save_weights(f"{name}.weights.h5")
    model.save(f"{name}.keras")
    model.save(f"{name}.h5")
    tf.train.Checkpoint(model=model).write(f"{name}-checkpoint")


save(model, "model")
# --8<-- [end:save]

# --8<-- [start:same]
rebuilt = build()
rebuilt.load_weights("model.weights.h5")

np.testing.assert_array_equal(rebuilt(x, training=False), predictions)
print("predictions equal")
# --8<-- [end:same]

# --8<-- [start:expect]
from pathlib import Path

Path("model.json").write_text(model.to_json())
np.savez("expected.npz", *model.get_weights(), x=x, predictions=predictions)
# --8<-- [end:expect]

# --8<-- [start:reload]
import json
from pathlib import Path

import numpy as np

rebuilt = build()
assert json.loads(rebuilt.to_json()) == json.loads(
    Path("model.json").read_text()
)

rebuilt.load_weights("model.weights.h5")
expected = np.load("expected.npz")
for i, array in enumerate(rebuilt.get_weights()):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
np.testing.assert_array_equal(
    rebuilt(expected["x"], training=False), expected["predictions"]
)
print("settings, arrays and predictions equal")
# --8<-- [end:reload]

# --8<-- [start:changes]
no_center = train(first={"center": False})
no_scale = train(first={"scale": False})
save(no_center, "no_center")
save(no_scale, "no_scale")

saved = {"model": model, "no_center": no_center, "no_scale": no_scale}

changes = {
    "nothing": ("model", {}),
    "layer names": ("model", {"first": {"name": "a"}}),
    "momentum": ("model", {"first": {"momentum": 0.5}}),
    "epsilon": ("model", {"first": {"epsilon": 1e-5}}),
    "axis, equal sizes": ("model", {"first": {"axis": 1}}),
    "ReLU before bn2": ("model", {"relu_first": True}),
    "bn1 not in code": ("model", {"first": None}),
    "bn2 not in code": ("model", {"second": None}),
    "bn3 not in file": ("model", {"third": AS_IS}),
    "center=False in code": ("model", {"first": {"center": False}}),
    "scale=False in code": ("model", {"first": {"scale": False}}),
    "center=False in file": ("no_center", {}),
    "scale=False in file": ("no_scale", {}),
    "beta file, gamma code": ("no_scale", {"first": {"center": False}}),
}
# --8<-- [end:changes]

# --8<-- [start:table]
loaders = {
    ".weights.h5": lambda net, file: net.load_weights(f"{file}.weights.h5"),
    ".keras": lambda net, file: net.load_weights(f"{file}.keras"),
    ".h5": lambda net, file: net.load_weights(f"{file}.h5"),
    "Checkpoint": lambda net, file: tf.train.Checkpoint(model=net).read(
        f"{file}-checkpoint"
    ),
}


def outcome(load, file, change):
    net = build(**change)
    try:
        load(net, file)
    except ValueError:
        return "ValueError"
    off = np.max(
        np.abs(saved[file](x, training=False) - net(x, training=False))
    )
    return "OFF" if off > 0.1 else "equal" if off == 0 else "close"


print(f"{'':24}" + "".join(f"{name:13}" for name in loaders).rstrip())
for name, (file, change) in changes.items():
    row = [outcome(load, file, change) for load in loaders.values()]
    print(f"{name:24}" + "".join(f"{cell:13}" for cell in row).rstrip())
# --8<-- [end:table]


# --8<-- [start:epsilon]
def off(net, expected=predictions):
    difference = np.max(np.abs(net(x, training=False) - expected))
    return f"off by more than 0.1: {difference > 0.1}"


for epsilon in [0.001, 1e-5]:
    rebuilt = build(first={"epsilon": epsilon})
    rebuilt.load_weights("model.weights.h5")
    print(f"epsilon {epsilon} {off(rebuilt)}")
# --8<-- [end:epsilon]

# --8<-- [start:epsilon_why]
variance = model.get_layer("bn1").moving_variance.numpy()
factor = np.sqrt((variance + 0.001) / (variance + 1e-5))
print("times as large:", np.round(factor))
# --8<-- [end:epsilon_why]

# --8<-- [start:axis]
for axis in [-1, 1]:
    rebuilt = build(first={"axis": axis})
    rebuilt.load_weights("model.weights.h5")
    shape = rebuilt.get_layer("bn1").moving_mean.shape
    print(f"axis {axis:2} moving_mean {shape} {off(rebuilt)}")
# --8<-- [end:axis]

# --8<-- [start:relu]
for relu_first in [False, True]:
    rebuilt = build(relu_first=relu_first)
    rebuilt.load_weights("model.weights.h5")
    names = " ".join(layer.name for layer in rebuilt.layers[1:4])
    print(f"{names} {off(rebuilt)}")
# --8<-- [end:relu]

# --8<-- [start:fewer]
fewer = build(first=None)
fewer.load_weights("model.weights.h5")

statistics = fewer.get_layer("bn2").moving_mean
for name in ["bn1", "bn2"]:
    in_file = model.get_layer(name).moving_mean
    equal = np.array_equal(statistics, in_file)
    print(f"bn2 in code holds {name} of the file: {equal}")
print(off(fewer))
# --8<-- [end:fewer]

# --8<-- [start:groups]
import h5py

with h5py.File("model.weights.h5") as file:
    for name in file["layers"]:
        print(name, list(file["layers"][name]["vars"]))
# --8<-- [end:groups]

# --8<-- [start:gamma]
wrong = build(first={"center": False})
wrong.load_weights("no_scale.weights.h5")

gamma, beta = (
    wrong.get_layer("bn1").gamma,
    no_scale.get_layer("bn1").beta,
)
print("gamma in code holds beta of the file:", np.array_equal(gamma, beta))
print(off(wrong, no_scale(x, training=False)))

right = build(first={"scale": False})
right.load_weights("no_scale.weights.h5")
print(off(right, no_scale(x, training=False)))
# --8<-- [end:gamma]


# --8<-- [start:checkpoint]
def verdict(assertion):
    try:
        assertion()
    except AssertionError:
        return "raises"
    return "passes"


print(f"{'':24}{'restored':11}{'matched':11}consumed")
for name, (file, change) in changes.items():
    result = outcome(loaders["Checkpoint"], file, change)
    net = build(**change)
    status = loaders["Checkpoint"](net, file)
    matched = verdict(status.assert_existing_objects_matched)
    consumed = verdict(status.assert_consumed)
    print(f"{name:24}{result:11}{matched:11}{consumed}")
# --8<-- [end:checkpoint]

# --8<-- [start:consumed]
net = build(first={"scale": False})
status = tf.train.Checkpoint(model=net).read("model-checkpoint")
status.assert_existing_objects_matched()
try:
    status.assert_consumed()
except AssertionError as error:
    print("AssertionError:", str(error).splitlines()[0])
# --8<-- [end:consumed]

# --8<-- [start:messages]
for change in [{"first": {"scale": False}}, {"third": {}}]:
    for file in ["model.weights.h5", "model.h5"]:
        try:
            build(**change).load_weights(file)
        except ValueError as error:
            print(f"{file}\nValueError: {error}\n")
# --8<-- [end:messages]

# --8<-- [start:half]
half = build(first={"scale": False})
try:
    half.load_weights("model.weights.h5")
except ValueError:
    pass

for name in ["bn1", "bn2"]:
    mean = half.get_layer(name).moving_mean.numpy()
    print(name, "moving_mean still 0:", not mean.any())
# --8<-- [end:half]

# --8<-- [start:skip]
import warnings


def load_and_tell(net, file, **arguments):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        net.load_weights(file, **arguments)
    for warning in caught:
        print(f"{warning.category.__name__}: {warning.message}\n")
    for layer in net.layers:
        if isinstance(layer, layers.BatchNormalization):
            mean = layer.moving_mean.numpy()
            print(layer.name, "moving_mean still 0:", not mean.any())


load_and_tell(
    build(first={"scale": False}), "model.weights.h5", skip_mismatch=True
)
# --8<-- [end:skip]

# --8<-- [start:by_name]
load_and_tell(build(first={"name": "norm"}), "model.h5", by_name=True)
# --8<-- [end:by_name]

# --8<-- [start:by_name_refused]
try:
    build().load_weights("model.weights.h5", by_name=True)
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:by_name_refused]

# --8<-- [start:by_position]
load_and_tell(build(first={"name": "norm"}), "model.h5")
# --8<-- [end:by_position]

# --8<-- [start:to_skip]
net = build()
load_and_tell(net, "model.weights.h5", objects_to_skip=[net.get_layer("bn1")])
# --8<-- [end:to_skip]

# --8<-- [start:keras]
reloaded = keras.saving.load_model("model.keras")
np.testing.assert_array_equal(reloaded(x, training=False), predictions)
print("epsilon:", reloaded.get_layer("bn1").epsilon)
# --8<-- [end:keras]


# --8<-- [start:settings]
import json


def settings_that_differ(file, model):
    saved, built = (
        json.loads(text)["config"]["layers"]
        for text in [Path(file).read_text(), model.to_json()]
    )
    if [s["class_name"] for s in saved] != [b["class_name"] for b in built]:
        return ["other layers, or in another order"]
    return [
        f"{was['config']['name']} {key}: {value} in the file, {now} in code"
        for was, is_now in zip(saved, built)
        for key, value in was["config"].items()
        if (now := is_now["config"].get(key)) != value
    ]


for change in [{}, {"first": {"epsilon": 1e-5, "axis": 1}}, {"second": None}]:
    print(settings_that_differ("model.json", build(**change)))
# --8<-- [end:settings]
