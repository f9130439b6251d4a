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


trained = build()
trained.compile(
    optimizer=keras.optimizers.SGD(0.1),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
trained.fit(x, y, epochs=15, verbose=0)


def with_arrays(**change):
    """Return a model with the trained arrays and without an optimizer."""
    net = build(**change)
    arrays = {array.path: array for array in trained.weights}
    for array in net.weights:
        array.assign(arrays[array.path])
    return net


model = with_arrays()
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


# --8<-- [start:changes]
no_center = with_arrays(first={"center": False})
no_scale = with_arrays(first={"scale": False})
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
expected = {name: net(x, training=False) for name, net in saved.items()}


def outcome(load, file, net):
    try:
        load(net, file)
    except ValueError:
        return "ValueError"
    off = np.max(np.abs(expected[file] - net(x, training=False)))
    return "OFF" if off > 0.1 else "equal" if off == 0 else "close"


def table(build, changes):
    print(f"{'':24}" + "".join(f"{name:13}" for name in loaders).rstrip())
    for name, (file, change) in changes.items():
        cells = [
            outcome(load, file, build(**change)) for load in loaders.values()
        ]
        print(f"{name:24}" + "".join(f"{cell:13}" for cell in cells).rstrip())


table(build, changes)
# --8<-- [end:table]


# --8<-- [start:checkpoint]
def verdict(assertion):
    try:
        assertion()
    except AssertionError:
        return "raises"
    return "passes"


print(f"{'':24}{'restored':11}{'matched':11}consumed")
for name, (file, change) in changes.items():
    net = build(**change)
    result = outcome(loaders["Checkpoint"], file, net)
    status = loaders["Checkpoint"](net, file)
    matched = verdict(status.assert_existing_objects_matched)
    consumed = verdict(status.assert_consumed)
    print(f"{name:24}{result:11}{matched:11}{consumed}")
# --8<-- [end:checkpoint]

# --8<-- [start:optimizer]
import warnings


def compiled(net):
    net.compile(keras.optimizers.SGD(momentum=0.9), loss="mse")
    net.optimizer.build(net.trainable_variables)
    return net


for name, net in saved.items():
    save(compiled(net), name)

rest = dict(list(changes.items())[6:])  # other arrays
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    table(lambda **change: compiled(build(**change)), rest)
about = ["optimizer" in str(warning.message) for warning in caught]
print("warnings about the optimizer:", sum(about))
# --8<-- [end:optimizer]
