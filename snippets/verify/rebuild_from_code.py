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

# --8<-- [start:same]
rebuilt = build()
for load in [None, rebuilt.load_weights]:
    if load:
        load("model.weights.h5")
    equal = np.array_equal(rebuilt(x, training=False), predictions)
    print("loaded" if load else "as built", "predictions equal:", equal)
# --8<-- [end:same]

# --8<-- [start:expect]
from bn_tools import compare, write_record

write_record("model.npz", model, x[:32])
# --8<-- [end:expect]

# --8<-- [start:reload]
from bn_tools import compare

rebuilt = build()
rebuilt.load_weights("model.weights.h5")
print(compare("model.npz", rebuilt) or "nothing differs")
# --8<-- [end:reload]

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
for first in [AS_IS, None]:
    net = build(first=first)
    net.load_weights("model.weights.h5")
    statistics = net.get_layer("bn2").moving_mean
    for name in ["bn1", "bn2"]:
        in_file = model.get_layer(name).moving_mean
        if np.array_equal(statistics, in_file):
            print(f"bn2 in code holds {name} of the file, {off(net)}")
# --8<-- [end:fewer]

# --8<-- [start:groups]
import h5py

with h5py.File("model.weights.h5") as file:
    for name in file["layers"]:
        print(name, list(file["layers"][name]["vars"]))
# --8<-- [end:groups]

# --8<-- [start:gamma]
for lacks in ["scale", "center"]:
    net = build(first={lacks: False})
    net.load_weights("no_scale.weights.h5")
    array = net.get_layer("bn1").get_weights()[0]
    beta = np.array_equal(array, no_scale.get_layer("bn1").beta)
    name = net.get_layer("bn1").weights[0].name
    print(f"{lacks}=False: beta of the file is in {name}: {beta},", end=" ")
    print(off(net, no_scale(x, training=False)))
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
    net = build(**change)
    result = outcome(loaders["Checkpoint"], file, net)
    status = loaders["Checkpoint"](net, file)
    matched = verdict(status.assert_existing_objects_matched)
    consumed = verdict(status.assert_consumed)
    print(f"{name:24}{result:11}{matched:11}{consumed}")
# --8<-- [end:checkpoint]

# --8<-- [start:consumed]
for scale in [True, False]:
    net = build(first={"scale": scale})
    status = tf.train.Checkpoint(model=net).read("model-checkpoint")
    status.assert_existing_objects_matched()
    try:
        status.assert_consumed()
        print(f"scale={scale} in code: passes")
    except AssertionError as error:
        print(f"scale={scale} in code, left over:")
        print("   ", str(error).partition(": attr")[0].split()[-1])
# --8<-- [end:consumed]

# --8<-- [start:messages]
for change, file, options in [
    ({"first": {"scale": False}}, "model.weights.h5", {}),
    ({"first": {"scale": False}}, "model.h5", {}),
    ({"third": {}}, "model.weights.h5", {}),
    ({"third": {}}, "model.h5", {}),
    ({}, "model.weights.h5", {"by_name": True}),
]:
    try:
        build(**change).load_weights(file, **options)
    except ValueError as error:
        print(change, file, *options)
        print(
            "ValueError:",
            *str(error).split("\n\nList")[0].split(". "),
            sep="\n    ",
        )
# --8<-- [end:messages]

# --8<-- [start:half]
for scale in [True, False]:
    net = build(first={"scale": scale})
    try:
        net.load_weights("model.weights.h5")
    except ValueError:
        print("ValueError")
    for name in ["bn1", "bn2"]:
        mean = net.get_layer(name).moving_mean.numpy()
        print(f"scale={scale}: {name} moving_mean still 0: {not mean.any()}")
# --8<-- [end:half]


# --8<-- [start:functional]
def functional(shortcut="bn1", epsilon=0.001, later_first=False, order=1):
    convs = [layers.Conv1D(8, 3, padding="same") for _ in range(2)]
    if later_first:
        convs.reverse()
    inputs = keras.Input(shape=(8, 8))
    start = {"inputs": inputs}
    bn1 = layers.BatchNormalization(epsilon=epsilon, momentum=0.5)
    start["bn1"] = bn1(inputs)
    factors = []
    for conv, name in zip(convs, ["tanh", "sigmoid"]):
        bn = layers.BatchNormalization(momentum=0.5)
        factors.append(layers.Activation(name)(bn(conv(start["bn1"]))))
    h = layers.Multiply()(factors[::order])
    h = layers.Add()([h, start[shortcut]])
    return keras.Model(inputs, layers.Dense(3)(layers.Flatten()(h)))


def settle(net):
    """Move the statistics, as training does."""
    for _ in range(10):
        net(x, training=True)
    return net


saved["functional"] = settle(functional())
expected["functional"] = saved["functional"](x, training=False)
save(saved["functional"], "functional")

table(
    functional,
    {
        "nothing": ("functional", {}),
        "created in other order": ("functional", {"later_first": True}),
        "epsilon": ("functional", {"epsilon": 1e-5}),
        "shortcut from inputs": ("functional", {"shortcut": "inputs"}),
        "Multiply()([b, a])": ("functional", {"order": -1}),
    },
)
# --8<-- [end:functional]


# --8<-- [start:subclassed]
@keras.saving.register_keras_serializable()
class Net(keras.Model):
    def __init__(self, names=("a", "b"), called=(0, 1), epsilon=0.001):
        super().__init__()
        self.called = called
        for name in names:
            norm = layers.BatchNormalization(epsilon=epsilon, momentum=0.5)
            setattr(self, name, norm)
        self.names = sorted(names)
        self.dense = layers.Dense(3)

    def call(self, x, training=False):
        for i in self.called:
            norm = getattr(self, self.names[i])
            x = keras.ops.sin(norm(x, training=training))
        return self.dense(keras.ops.reshape(x, (-1, 64)))


def subclassed(**change):
    net = Net(**change)
    net(x[:1])
    return net


saved["net"] = settle(subclassed())
saved["norms"] = settle(subclassed(names=("norm_a", "norm_b")))
for name in ["net", "norms"]:
    expected[name] = saved[name](x, training=False)
    save(saved[name], name)

table(
    subclassed,
    {
        "nothing": ("net", {}),
        "called in other order": ("net", {"called": (1, 0)}),
        "epsilon in the class": ("net", {"epsilon": 1e-5}),
        "created b, a": ("net", {"names": ("b", "a")}),
        "a, b are called a, c": ("net", {"names": ("a", "c")}),
        "created norm_b, norm_a": ("norms", {"names": ("norm_b", "norm_a")}),
        "... norm_a, norm_c": ("norms", {"names": ("norm_a", "norm_c")}),
    },
)
# --8<-- [end:subclassed]


# --8<-- [start:places]
for name in ["net", "norms"]:
    with h5py.File(f"{name}.weights.h5") as file:
        print(name, list(file))
        print("    layers:", list(file.get("layers", {})))
# --8<-- [end:places]

# --8<-- [start:safe]
for name in ["functional", "net"]:
    write_record(f"{name}.npz", saved[name], x[:32])

for name, record, net in [
    ("the same code", "model", build()),
    ("momentum", "model", build(first={"momentum": 0.5})),
    ("axis", "model", build(first={"axis": 1})),
    ("bn2 not in code", "model", build(second=None)),
    ("shortcut", "functional", functional(shortcut="inputs")),
    ("Multiply()([b, a])", "functional", functional(order=-1)),
    ("called in other order", "net", subclassed(called=(1, 0))),
]:
    net.load_weights(f"{record}.weights.h5")
    print(f"{name}:", *compare(f"{record}.npz", net), sep="\n    ")
# --8<-- [end:safe]


# --8<-- [start:keras]
@keras.saving.register_keras_serializable()
class Norm(layers.Layer):
    epsilon = 0.001

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.bn = layers.BatchNormalization(
            epsilon=self.epsilon, momentum=0.5, name="bn"
        )

    def call(self, x, training=False):
        return self.bn(x, training=training)


def with_class():
    return keras.Sequential(
        [keras.Input(shape=(8, 8)), Norm(), layers.Flatten(), layers.Dense(3)]
    )


saved["class"] = settle(with_class())
write_record("class.npz", saved["class"], x[:32])
saved["class"].save("class.keras")

for epsilon in [0.001, 1e-5]:
    Norm.epsilon = epsilon  # as if the code had been edited
    loaded = keras.saving.load_model("class.keras")
    print(f"epsilon {epsilon} in the class:")
    print(*compare("class.npz", loaded) or ["nothing differs"], sep="\n")

loaded = keras.saving.load_model("model.keras")
print("a layer of Keras:", loaded.get_layer("bn1").epsilon)
# --8<-- [end:keras]
