# --8<-- [start:block]
import keras
import numpy as np


@keras.saving.register_keras_serializable(package="demo")
class Block(keras.layers.Layer):
    def __init__(self, units, epsilon=0.001, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.epsilon = epsilon
        self.dense = keras.layers.Dense(units)
        self.bn = keras.layers.BatchNormalization(epsilon=epsilon)

    def build(self, input_shape):
        self.dense.build(input_shape)
        self.bn.build((*input_shape[:-1], self.units))

    def call(self, x, training=None):
        return self.bn(self.dense(x), training=training)

    def get_config(self):
        config = super().get_config()
        return {**config, "units": self.units, "epsilon": self.epsilon}


# --8<-- [end:block]

# --8<-- [start:train]
keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(1000, 8)).astype("float32")
y = np.argmax(x[:, :3], axis=1)


def with_layer(layer):
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            layer,
            keras.layers.Dense(3, activation="softmax"),
        ]
    )


def train(model):
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    model.fit(x, y, batch_size=50, epochs=2, verbose=0)


model = with_layer(Block(16, epsilon=0.01))
train(model)
# --8<-- [end:train]

# --8<-- [start:tracked]
for variable in model.weights:
    print(variable.path)
# --8<-- [end:tracked]

# --8<-- [start:round_trip]
model.save("block.keras")
reloaded = keras.saving.load_model("block.keras")

untrained = with_layer(Block(16, epsilon=0.01))
for name in ["gamma", "beta", "moving_mean", "moving_variance"]:
    start, saved, loaded = (
        getattr(net.layers[0].bn, name).numpy()
        for net in [untrained, model, reloaded]
    )
    learned = not np.array_equal(saved, start)
    equal = np.array_equal(saved, loaded)
    print(f"{name:16} learned: {learned}  equal: {equal}")

print("epsilon:", reloaded.layers[0].bn.epsilon)
np.testing.assert_array_equal(
    model(x, training=False), reloaded(x, training=False)
)
print(len(x), "predictions equal")
# --8<-- [end:round_trip]

# --8<-- [start:expect]
np.savez(
    "expected.npz",
    *model.get_weights(),
    x=x,
    predictions=model(x, training=False),
)
# --8<-- [end:expect]

# --8<-- [start:reload]
reloaded = keras.saving.load_model("block.keras")
expected = np.load("expected.npz")

for i, array in enumerate(reloaded.get_weights()):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
np.testing.assert_array_equal(
    reloaded(expected["x"], training=False), expected["predictions"]
)
print("equal in a process that did not save")
# --8<-- [end:reload]


# --8<-- [start:net]
@keras.saving.register_keras_serializable(package="demo")
class Net(keras.Model):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.block = Block(units)
        self.out = keras.layers.Dense(3, activation="softmax")

    def build(self, input_shape):
        self.block.build(input_shape)
        self.out.build((*input_shape[:-1], self.units))

    def call(self, x, training=False):
        return self.out(self.block(x, training=training))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


# --8<-- [end:net]


# --8<-- [start:structures]
@keras.saving.register_keras_serializable(package="demo")
class MadeInBuild(keras.layers.Layer):
    def build(self, input_shape):
        self.dense = keras.layers.Dense(16)
        self.dense.build(input_shape)
        self.bn = keras.layers.BatchNormalization()
        self.bn.build((*input_shape[:-1], 16))

    def call(self, x, training=None):
        return self.bn(self.dense(x), training=training)


@keras.saving.register_keras_serializable(package="demo")
class InList(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.parts = [
            keras.layers.Dense(16),
            keras.layers.BatchNormalization(),
        ]

    def build(self, input_shape):
        self.parts[0].build(input_shape)
        self.parts[1].build((*input_shape[:-1], 16))

    def call(self, x, training=None):
        dense, bn = self.parts
        return bn(dense(x), training=training)


@keras.saving.register_keras_serializable(package="demo")
class InDict(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.parts = {
            "dense": keras.layers.Dense(16),
            "bn": keras.layers.BatchNormalization(),
        }

    def build(self, input_shape):
        self.parts["dense"].build(input_shape)
        self.parts["bn"].build((*input_shape[:-1], 16))

    def call(self, x, training=None):
        return self.parts["bn"](self.parts["dense"](x), training=training)


# --8<-- [end:structures]

# --8<-- [start:table]
import tensorflow as tf


def build_net():
    net = Net(16)
    net.build((None, 8))
    return net


def by_keras(original, make):
    original.save("trip.keras")
    return keras.saving.load_model("trip.keras")


def by_weights(original, make):
    original.save_weights("trip.weights.h5")
    fresh = make()
    fresh.load_weights("trip.weights.h5")
    return fresh


def by_checkpoint(original, make):
    path = tf.train.Checkpoint(model=original).save("trip/net")
    fresh = make()
    status = tf.train.Checkpoint(model=fresh).restore(path)
    status.assert_existing_objects_matched()
    return fresh


def outcome(way, original, make):
    try:
        other = way(original, make)
    except Exception as error:
        return type(error).__name__
    difference = np.abs(original(x, training=False) - other(x, training=False))
    return "equal" if np.max(difference) == 0 else "lost"


def row(structure, make):
    original = make()
    for step in range(100):
        original(x, training=True)  # moves the statistics
    outcomes = [
        outcome(way, original, make)
        for way in [by_keras, by_weights, by_checkpoint]
    ]
    print("{:24}{:12}{:14}{}".format(structure, *outcomes))


print("{:24}{:12}{:14}{}".format("", ".keras", ".weights.h5", "Checkpoint"))
row("built in build", lambda: with_layer(Block(16)))
row("made in build", lambda: with_layer(MadeInBuild()))
row("kept in a list", lambda: with_layer(InList()))
row("kept in a dict", lambda: with_layer(InDict()))
row("in a subclassed model", build_net)
# --8<-- [end:table]


# --8<-- [start:check]
def check_tracked(model, layers):
    paths = [variable.path for variable in model.weights]
    for name in ["gamma", "beta", "moving_mean", "moving_variance"]:
        found = sum(path.endswith("/" + name) for path in paths)
        if found != layers:
            raise ValueError(f"{name}: {found} of {layers} tracked")


check_tracked(model, layers=1)
print("all four arrays tracked")
# --8<-- [end:check]


# --8<-- [start:excerpt]
def excerpt(error, start, end):
    text = str(error)
    first = text.index(start)
    last = text.index(end, first) + len(end)
    return "... " + text[first:last] + (" ..." if text[last:] else "")


# --8<-- [end:excerpt]

# --8<-- [start:stranger]
import keras

try:
    keras.saving.load_model("block.keras")
except TypeError as error:
    print("TypeError:", excerpt(error, "Could not locate", "load them."))
# --8<-- [end:stranger]


# --8<-- [start:unregistered_class]
class Unregistered(Block):
    pass


# --8<-- [end:unregistered_class]

# --8<-- [start:unregistered]
unregistered = with_layer(Unregistered(16))
train(unregistered)
unregistered.save("unregistered.keras")
try:
    keras.saving.load_model("unregistered.keras")
except TypeError as error:
    print("TypeError:", excerpt(error, "Could not locate", "load them."))

np.savez(
    "unregistered.npz",
    x=x,
    predictions=unregistered(x, training=False),
)
# --8<-- [end:unregistered]

# --8<-- [start:custom_objects]
model = keras.saving.load_model(
    "unregistered.keras",
    custom_objects={"Unregistered": Unregistered},
)
expected = np.load("unregistered.npz")
np.testing.assert_array_equal(
    model(expected["x"], training=False), expected["predictions"]
)
print("predictions equal")
# --8<-- [end:custom_objects]


# --8<-- [start:hidden]
class Helper:  # a plain object, not a layer
    def __init__(self):
        self.bn = keras.layers.BatchNormalization()


@keras.saving.register_keras_serializable(package="demo")
class Hidden(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(16)
        self.helper = Helper()

    def build(self, input_shape):
        self.dense.build(input_shape)
        self.helper.bn.build((*input_shape[:-1], 16))

    def call(self, x, training=None):
        return self.helper.bn(self.dense(x), training=training)


row("in a plain object", lambda: with_layer(Hidden()))
# --8<-- [end:hidden]

# --8<-- [start:hidden_paths]
import re

hidden = with_layer(Hidden())
print(len(hidden.weights), "arrays")
for variable in hidden.weights:
    print(re.sub(r"_\d+/", "_N/", variable.path))  # N counts what came before
try:
    check_tracked(hidden, layers=1)
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:hidden_paths]


# --8<-- [start:found]
@keras.saving.register_keras_serializable(package="demo")
class Found(Hidden):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.bn = self.helper.bn


check_tracked(with_layer(Found()), layers=1)
row("an attribute as well", lambda: with_layer(Found()))
# --8<-- [end:found]

# --8<-- [start:received_zero]
hidden.save_weights("hidden.weights.h5")
try:
    with_layer(Found()).load_weights("hidden.weights.h5")
except ValueError as error:
    print("ValueError:", excerpt(error, "expected", "'moving_variance']"))
# --8<-- [end:received_zero]


# --8<-- [start:in_lambda]
def in_lambda():
    bn = keras.layers.BatchNormalization()
    return with_layer(keras.layers.Lambda(lambda x: bn(x), output_shape=(8,)))


row("called in a Lambda", in_lambda)
try:
    check_tracked(in_lambda(), layers=1)
except ValueError as error:
    print("ValueError:", error)

in_lambda().save("lambda.keras")
try:
    keras.saving.load_model("lambda.keras")
except ValueError as error:
    print("ValueError:", excerpt(error, "Requested", "by default."))
# --8<-- [end:in_lambda]


# --8<-- [start:no_lambda]
@keras.saving.register_keras_serializable(package="demo")
class Normalize(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.bn = keras.layers.BatchNormalization()

    def build(self, input_shape):
        self.bn.build(input_shape)

    def call(self, x, training=None):
        return self.bn(x, training=training)


row("called in a layer", lambda: with_layer(Normalize()))
# --8<-- [end:no_lambda]

# --8<-- [start:checkpoint]
trained = with_layer(InList())
train(trained)
path = tf.train.Checkpoint(model=trained).save("listed/net")

restored = with_layer(InList())
status = tf.train.Checkpoint(model=restored).restore(path)
status.assert_existing_objects_matched()

for saved, loaded in zip(trained.weights, restored.weights, strict=True):
    print(f"{saved.name:16} equal: {np.array_equal(saved, loaded)}")
# --8<-- [end:checkpoint]


# --8<-- [start:in_tuple]
@keras.saving.register_keras_serializable(package="demo")
class InTuple(InList):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.parts = tuple(self.parts)


row("kept in a tuple", lambda: with_layer(InTuple()))
# --8<-- [end:in_tuple]


# --8<-- [start:without_units]
@keras.saving.register_keras_serializable(package="demo")
class WithoutUnits(Block):
    def get_config(self):
        config = super().get_config()
        del config["units"]  # as if it had never been added
        return config


with_layer(WithoutUnits(16)).save("without_units.keras")
try:
    keras.saving.load_model("without_units.keras")
except TypeError as error:
    print("TypeError:", excerpt(error, "Block.__init__() missing", "'units'"))
# --8<-- [end:without_units]


# --8<-- [start:without_super]
@keras.saving.register_keras_serializable(package="demo")
class NamedNormalization(keras.layers.BatchNormalization):
    def __init__(self, label="", **kwargs):
        super().__init__(**kwargs)
        self.label = label

    def get_config(self):
        return {"label": self.label}  # super().get_config() is missing


labeled = with_layer(NamedNormalization("input", epsilon=10.0))
train(labeled)
labeled.save("labeled.keras")
reloaded = keras.saving.load_model("labeled.keras")

for net in [labeled, reloaded]:
    print(net.layers[0].name, net.layers[0].epsilon)
for saved, loaded in zip(labeled.weights, reloaded.weights, strict=True):
    np.testing.assert_array_equal(saved, loaded)
difference = labeled(x, training=False) - reloaded(x, training=False)
print("arrays equal, predictions differ:", np.max(np.abs(difference)) > 0.05)
# --8<-- [end:without_super]


# --8<-- [start:without_kwargs]
@keras.saving.register_keras_serializable(package="demo")
class WithoutKwargs(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.bn = keras.layers.BatchNormalization()

    def build(self, input_shape):
        self.bn.build(input_shape)

    def call(self, x, training=None):
        return self.bn(x, training=training)

    def get_config(self):
        return super().get_config()


with_layer(WithoutKwargs()).save("without_kwargs.keras")
try:
    keras.saving.load_model("without_kwargs.keras")
except TypeError as error:
    print("TypeError:", excerpt(error, "WithoutKwargs.__init__", "'name'"))
# --8<-- [end:without_kwargs]


# --8<-- [start:in_call]
@keras.saving.register_keras_serializable(package="demo")
class NewEachCall(keras.layers.Layer):
    def call(self, x, training=None):
        x = keras.layers.Dense(16)(x)
        return keras.layers.BatchNormalization()(x, training=training)


layer = NewEachCall()
print("outputs equal:", np.array_equal(layer(x), layer(x)))
print("arrays:", len(layer.weights))
# --8<-- [end:in_call]


# --8<-- [start:at_first_call]
@keras.saving.register_keras_serializable(package="demo")
class MadeAtFirstCall(keras.layers.Layer):
    def call(self, x, training=None):
        if not hasattr(self, "bn"):
            self.bn = keras.layers.BatchNormalization()
        return self.bn(x, training=training)


try:
    with_layer(MadeAtFirstCall())
except ValueError as error:
    print("ValueError:", excerpt(error, "You cannot add", "method."))
# --8<-- [end:at_first_call]


# --8<-- [start:empty_build]
@keras.saving.register_keras_serializable(package="demo")
class EmptyBuild(Block):
    def build(self, input_shape):
        self.built = True


@keras.saving.register_keras_serializable(package="demo")
class EmptyNet(Net):
    def __init__(self, units, **kwargs):
        super().__init__(units, **kwargs)
        self.block = EmptyBuild(units)  # in place of Block(units)


empty = EmptyNet(16)
empty(x[:1])
train(empty)
print("arrays saved:", len(empty.weights))

empty.save("empty.keras")
reloaded = keras.saving.load_model("empty.keras")
print("arrays loaded:", len(reloaded.weights))
difference = empty(x, training=False) - reloaded(x, training=False)
print("predictions differ:", np.max(np.abs(difference)) > 0.1)
# --8<-- [end:empty_build]


# --8<-- [start:unbuilt]
class Lazy(keras.Model):
    def __init__(self):
        super().__init__()
        self.block = Block(16)
        self.out = keras.layers.Dense(3, activation="softmax")

    def call(self, x, training=False):
        return self.out(self.block(x, training=training))


lazy = Lazy()
train(lazy)
lazy.save_weights("lazy.weights.h5")

fresh = Lazy()
try:
    fresh.load_weights("lazy.weights.h5")
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:unbuilt]

# --8<-- [start:build_warns]
import warnings

with warnings.catch_warnings(record=True, action="always") as caught:
    fresh.build((None, 8))
    fresh.load_weights("lazy.weights.h5")

for warning in caught:
    if warning.category is UserWarning:
        print("UserWarning:", warning.message)
print("arrays:", len(fresh.weights))
difference = lazy(x, training=False) - fresh(x, training=False)
print("predictions differ:", np.max(np.abs(difference)) > 0.1)
# --8<-- [end:build_warns]

# --8<-- [start:called]
fresh = Lazy()
fresh(x[:1])  # creates the arrays
fresh.load_weights("lazy.weights.h5")
np.testing.assert_array_equal(lazy(x, training=False), fresh(x, training=False))
print(len(fresh.weights), "arrays, predictions equal")
# --8<-- [end:called]

# --8<-- [start:half]
path = tf.train.Checkpoint(model=lazy).save("lazy/net")

half = Lazy()
status = tf.train.Checkpoint(model=half).restore(path)
status.assert_existing_objects_matched()  # nothing exists yet
half(x[:1])

dense = half.block.dense
for variable in half.weights[:3]:
    restored = np.array_equal(
        variable, getattr(lazy.block.dense, variable.name)
    )
    in_use = variable is getattr(dense, variable.name)
    print(f"{variable.name:6} restored: {restored}  in use: {in_use}")
print("arrays:", len(half.weights))
difference = lazy(x, training=False) - half(x, training=False)
print("predictions differ:", np.max(np.abs(difference)) > 0.1)
# --8<-- [end:half]

# --8<-- [start:whole]
whole = Lazy()
whole(x[:1])  # creates the arrays
status = tf.train.Checkpoint(model=whole).restore(path)
status.assert_existing_objects_matched()
np.testing.assert_array_equal(lazy(x, training=False), whole(x, training=False))
print(len(whole.weights), "arrays, predictions equal")
# --8<-- [end:whole]


# --8<-- [start:no_training]
class NoTraining(keras.Model):
    def __init__(self):
        super().__init__()
        self.bn = keras.layers.BatchNormalization()
        self.out = keras.layers.Dense(3, activation="softmax")

    def call(self, x):
        return self.out(self.bn(x))


deaf = NoTraining()
train(deaf)
print("moving_mean:", np.unique(deaf.bn.moving_mean.numpy()))
print("moving_variance:", np.unique(deaf.bn.moving_variance.numpy()))
# --8<-- [end:no_training]
