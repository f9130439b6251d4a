# --8<-- [start:model]
import copy
import pickle

import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(1000, 8)).astype("float32")
y = np.argmax(x[:, :3], axis=1)

model = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.Dense(16, activation="relu", name="dense"),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.Dense(3, activation="softmax", name="out"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
model.fit(x, y, batch_size=20, epochs=5, verbose=0)
# --8<-- [end:model]

# --8<-- [start:clone]
cloned = keras.models.clone_model(model)
bn = cloned.get_layer("bn")
print("gamma:", np.unique(bn.gamma.numpy()))
print("beta:", np.unique(bn.beta.numpy()))
print("moving_mean:", np.unique(bn.moving_mean.numpy()))
print("moving_variance:", np.unique(bn.moving_variance.numpy()))


def predictions_equal(one, other):
    return np.array_equal(one(x, training=False), other(x, training=False))


print("predictions equal:", predictions_equal(model, cloned))
# --8<-- [end:clone]

# --8<-- [start:fill]
cloned = keras.models.clone_model(model)
cloned.set_weights(model.get_weights())
print("predictions equal:", predictions_equal(model, cloned))
# --8<-- [end:fill]

# --8<-- [start:deepcopy]
copied = copy.deepcopy(model)
print("predictions equal:", predictions_equal(model, copied))
print("steps taken:", int(copied.optimizer.iterations))
# --8<-- [end:deepcopy]


# --8<-- [start:ways]
def from_config(model):
    return keras.Sequential.from_config(model.get_config())


def clone_and_set_weights(model):
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    return clone


def layer_to_layer(model):
    clone = keras.models.clone_model(model)
    for source, target in zip(model.layers, clone.layers, strict=True):
        target.set_weights(source.get_weights())
    return clone


def through_pickle(model):
    return pickle.loads(pickle.dumps(model))


def steps_of(model):
    return int(model.optimizer.iterations) if model.compiled else None


# --8<-- [end:ways]

# --8<-- [start:table]
NAMES = ["gamma", "beta", "moving_mean", "moving_variance"]
yes_no = {True: "yes", False: "no"}
saved = model.get_weights()

print(f"{'':24}arrays  predictions  independent  step kept")
for way in [
    keras.models.clone_model,
    from_config,
    clone_and_set_weights,
    layer_to_layer,
    copy.deepcopy,
    copy.copy,
    through_pickle,
]:
    other = way(model)
    arrays = all(
        np.array_equal(
            getattr(model.get_layer("bn"), name),
            getattr(other.get_layer("bn"), name),
        )
        for name in NAMES
    )
    predictions = predictions_equal(model, other)
    step_kept = steps_of(other) == steps_of(model)

    before = other.get_weights()
    model.set_weights([array + 1 for array in saved])
    independent = all(map(np.array_equal, before, other.get_weights()))
    model.set_weights(saved)

    print(
        f"{way.__name__:24}{yes_no[arrays]:8}{yes_no[predictions]:13}"
        f"{yes_no[independent]:13}{yes_no[step_kept]}"
    )
# --8<-- [end:table]

# --8<-- [start:compiled]
for way in [keras.models.clone_model, from_config]:
    print(f"{way.__name__:12} compiled: {way(model).compiled}")
# --8<-- [end:compiled]

# --8<-- [start:train_on]
copied = copy.deepcopy(model)
expected = model(x, training=False).numpy()
copied.fit(x, y, batch_size=20, epochs=1, verbose=0)

print("steps of the copy:", steps_of(copied))
print("steps of the model:", steps_of(model))
print("model as before:", np.array_equal(model(x, training=False), expected))
# --8<-- [end:train_on]

# --8<-- [start:before]
kept = copy.deepcopy(model)

model(x * 10, training=True)  # a look at other data moves the statistics

print("model changed:", not np.array_equal(model(x, training=False), expected))
print("copy changed:", not np.array_equal(kept(x, training=False), expected))
# --8<-- [end:before]

# --8<-- [start:back]
model.set_weights(kept.get_weights())
print("model as before:", np.array_equal(model(x, training=False), expected))
# --8<-- [end:back]

# --8<-- [start:part]
other = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.Dense(16, activation="relu", name="dense"),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.Dense(5, activation="softmax", name="five_classes"),
    ]
)
for name in ["dense", "bn"]:
    source, target = model.get_layer(name), other.get_layer(name)
    target.set_weights(source.get_weights())
    print(name, len(target.weights), "arrays")
    for ours, theirs in zip(source.weights, target.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
# --8<-- [end:part]

# --8<-- [start:dump]
with open("model.pickle", "wb") as file:
    pickle.dump(model, file)

np.savez(
    "expected.npz",
    *model.get_weights(),
    x=x,
    predictions=model(x, training=False),
)
# --8<-- [end:dump]

# --8<-- [start:reload]
import pickle

import numpy as np

with open("model.pickle", "rb") as file:
    reloaded = pickle.load(file)

recorded = np.load("expected.npz")
for i, array in enumerate(reloaded.get_weights()):
    np.testing.assert_array_equal(array, recorded[f"arr_{i}"])
np.testing.assert_array_equal(
    reloaded(recorded["x"], training=False), recorded["predictions"]
)
print("equal, and continues after step", int(reloaded.optimizer.iterations))
# --8<-- [end:reload]


# --8<-- [start:not_a_copy]
best = model
model(x * 10, training=True)
print("as before:", np.array_equal(best(x, training=False), expected))
model.set_weights(kept.get_weights())
# --8<-- [end:not_a_copy]

# --8<-- [start:live]
arrays = model.get_weights()
variables = model.weights
model(x * 10, training=True)
print("arrays as before:", all(map(np.array_equal, arrays, saved)))
print("variables as before:", all(map(np.array_equal, variables, saved)))
model.set_weights(arrays)
# --8<-- [end:live]


# --8<-- [start:unregistered]
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.bn = keras.layers.BatchNormalization()
        self.out = keras.layers.Dense(3, activation="softmax")

    def call(self, x, training=False):
        return self.out(self.bn(x, training=training))


net = Net()
for step in range(100):
    net(x, training=True)


def shortened(error):
    return str(error).partition(" If they are already")[0]


for way in [copy.deepcopy, copy.copy, through_pickle]:
    try:
        way(net)
    except TypeError as error:
        print(f"{way.__name__}: TypeError: {shortened(error)}")
# --8<-- [end:unregistered]


# --8<-- [start:registered]
@keras.saving.register_keras_serializable(package="demo")
class RegisteredNet(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.bn = keras.layers.BatchNormalization()
        self.out = keras.layers.Dense(3, activation="softmax")

    def call(self, x, training=False):
        return self.out(self.bn(x, training=training))


net = RegisteredNet()
for step in range(100):
    net(x, training=True)

for way in [copy.deepcopy, copy.copy, through_pickle]:
    print(f"{way.__name__}: {predictions_equal(net, way(net))}")
# --8<-- [end:registered]

# --8<-- [start:second]
net = Net()
for step in range(100):
    net(x, training=True)

second = Net()
second(x[:1])  # creates the arrays
second.set_weights(net.get_weights())
print("predictions equal:", predictions_equal(net, second))
# --8<-- [end:second]


# --8<-- [start:local]
def make_net():
    class LocalNet(Net):
        pass

    return LocalNet()


local = make_net()
local(x[:1])
try:
    pickle.dumps(local)
except AttributeError as error:
    # The words before these depend on the version of Python.
    words, separator, which = str(error).partition("local object")
    print("AttributeError: ...", separator + which)
# --8<-- [end:local]
