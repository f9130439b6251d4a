# --8<-- [start:keeps]
import functools
import json

import keras


def keeps_inner_settings(cls):
    """Class decorator: files keep flag and policy of each layer inside."""
    get, create, build = cls.get_config, cls.from_config, cls.build_from_config

    @functools.wraps(get)
    def get_config(self):
        return {**get(self), "inner_settings": json.dumps(inner_settings(self))}

    def from_config(cls, config):
        config = dict(config)
        text = config.pop("inner_settings", None)
        layer = create.__func__(cls, config)
        layer._inner_settings = text
        set_inner_settings(layer, text and json.loads(text))
        return layer

    def build_from_config(self, config):
        build(self, config)  # may create more layers
        text = getattr(self, "_inner_settings", None)
        set_inner_settings(self, text and json.loads(text), built=True)

    cls.get_config = get_config
    cls.from_config = classmethod(from_config)
    cls.build_from_config = build_from_config
    return cls


def inner_settings(layer):
    policy = keras.dtype_policies.serialize(layer.dtype_policy)
    inside = [inner_settings(inner) for inner in inner_layers(layer)]
    return [type(layer).__name__, layer.trainable, policy, inside]


def set_inner_settings(layer, settings, built=False):
    if settings:
        saved_type, layer.trainable, layer.dtype_policy, inside = settings
        if saved_type != type(layer).__name__:
            raise ValueError(f"{layer.name} was a {saved_type}: other code?")
        inner = inner_layers(layer)
        if built and any(map(frozen, inside[len(inner) :])):
            raise ValueError(
                f"{layer.name}: let `build` of your class build it"
            )
        for each, saved in zip(inner, inside):
            set_inner_settings(each, saved, built)


def frozen(settings):
    _, trainable, _, inside = settings
    return not trainable or any(map(frozen, inside))


def inner_layers(layer):
    # Keras's own list: only models have a public one, `layers`.
    inputs = keras.layers.InputLayer
    return [inner for inner in layer._layers if not isinstance(inner, inputs)]


# --8<-- [end:keeps]


# --8<-- [start:block]
@keras.saving.register_keras_serializable(package="demo")
@keeps_inner_settings
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


# --8<-- [start:net]
@keras.saving.register_keras_serializable(package="demo")
@keeps_inner_settings
class Net(keras.Model):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.stages = [
            [Block(units), Block(units)],
            [Block(units, epsilon=0.01)],
        ]
        self.out = keras.layers.Dense(3, activation="softmax", dtype="float32")

    def call(self, x, training=False):
        for stage in self.stages:
            for block in stage:
                x = block(x, training=training)
        return self.out(x)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


# --8<-- [end:net]


# --8<-- [start:plain]
@keras.saving.register_keras_serializable(package="demo")
class PlainNet(Net):  # what it is without the decorator
    def get_config(self):
        config = super().get_config()
        del config["inner_settings"]
        return config


# --8<-- [end:plain]

# --8<-- [start:train]
import numpy as np

keras.utils.set_random_seed(0)
keras.config.set_dtype_policy("mixed_float16")
x = np.random.normal(5, 3, size=(100, 8)).astype("float32")
y = np.argmax(x[:, :3], axis=1)


def train(model):
    model.compile(
        optimizer=keras.optimizers.Adam(0.01),
        loss="sparse_categorical_crossentropy",
        run_eagerly=True,  # faster for two steps
    )
    model.fit(x, y, batch_size=50, verbose=0)


nets = {"net": Net(16), "plain": PlainNet(16)}
for net in nets.values():
    net(x, training=True)
    net.stages[0][0].trainable = False  # a block
    net.stages[0][1].bn.trainable = False  # a layer in a block
    train(net)
# --8<-- [end:train]

# --8<-- [start:save]
from bn_tools import write_record

for name, net in nets.items():
    net.save(f"{name}.keras")
    write_record(f"{name}.npz", net, x[:32])
# --8<-- [end:save]


# --8<-- [start:facts]
def facts(model):
    trainable = f"{len(model.trainable_variables)} of {len(model.weights)}"
    policy = model.stages[0][0].bn.dtype_policy.name
    optimizer = type(model.optimizer).__name__
    step = int(model.optimizer.iterations)
    return f"{trainable:9} {policy:14} {optimizer} at step {step}"


# --8<-- [end:facts]

# --8<-- [start:saved]
for name, net in nets.items():
    print(f"{name:6} {facts(net)}")
# --8<-- [end:saved]

# --8<-- [start:reload]
from bn_tools import compare

for name in ["net", "plain"]:
    loaded = keras.saving.load_model(f"{name}.keras")
    differences = compare(f"{name}.npz", loaded)
    print(f"{name:6} {facts(loaded)}, differences: {len(differences)}")
# --8<-- [end:reload]

# --8<-- [start:ways]
import copy

keras.config.set_dtype_policy("float32")  # as in a new process
for way in [copy.deepcopy, keras.models.clone_model]:
    for name, net in nets.items():
        other = way(net)
        other(x[:1])
        trainable = f"{len(other.trainable_variables)} of {len(other.weights)}"
        policy = other.stages[0][0].bn.dtype_policy.name
        print(f"{way.__name__:12} {name:6} {trainable:9} {policy}")
# --8<-- [end:ways]


# --8<-- [start:epsilon]
def with_layer(layer):
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            layer,
            keras.layers.Dense(3, activation="softmax"),
        ]
    )


@keras.saving.register_keras_serializable(package="demo")
@keeps_inner_settings
class Fixed(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.bn = keras.layers.BatchNormalization(epsilon=EPSILON)

    def call(self, x, training=None):
        return self.bn(x, training=training)


EPSILON = 0.01
fixed, block = with_layer(Fixed()), with_layer(Block(8, epsilon=EPSILON))
fixed.save("fixed.keras")
block.save("block.keras")

EPSILON = 10.0  # somebody edits the code
for model in [fixed, block]:
    name = type(model.layers[0]).__name__
    loaded = keras.saving.load_model(f"{name.lower()}.keras")
    epsilon = loaded.layers[0].bn.epsilon
    equal = np.array_equal(model(x, training=False), loaded(x, training=False))
    print(f"{name}: epsilon {epsilon}, predictions equal: {equal}")
# --8<-- [end:epsilon]


# --8<-- [start:refused]
@keras.saving.register_keras_serializable(package="demo")
@keeps_inner_settings
class Encoder(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        if DROPOUT:
            self.dropout = keras.layers.Dropout(0.1, name="dropout")
        self.attention = keras.layers.MultiHeadAttention(2, 4, name="attention")
        self.bn = keras.layers.BatchNormalization()

    def build(self, shape):
        if BUILD:
            self.attention.build(shape, shape)
            self.bn.build(shape)

    def call(self, x, training=None):
        return self.bn(self.attention(x, x), training=training)


DROPOUT = BUILD = False
encoder = keras.Sequential([keras.Input(shape=(5, 8)), Encoder()])
encoder.layers[0].attention.trainable = False
encoder.save("encoder.keras")

for DROPOUT, BUILD in [(False, False), (True, True), (False, True)]:
    try:
        loaded = keras.saving.load_model("encoder.keras")
        print("trainable:", *[v.name for v in loaded.trainable_variables])
    except ValueError as error:
        print("ValueError:", error)
# --8<-- [end:refused]


# --8<-- [start:structures]
import tensorflow as tf


@keras.saving.register_keras_serializable(package="demo")
class Kept(keras.layers.Layer):
    def __init__(self, place, **kwargs):
        super().__init__(**kwargs)
        self.place = place
        if place != "made in build":
            self.put()

    def put(self):
        dense, bn = keras.layers.Dense(16), keras.layers.BatchNormalization()
        self.parts = {
            "made in build": (dense, bn),
            "tuple": (dense, bn),
            "list": [dense, bn],
            "dict": {"a": dense, "b": bn},
            "tuple of tuples": ((dense,), (bn,)),
            "list of lists": [[dense], [bn]],
        }[self.place]

    def build(self, input_shape):
        if self.place == "made in build":
            self.put()
        dense, bn = tf.nest.flatten(self.parts)
        dense.build(input_shape)
        bn.build((*input_shape[:-1], 16))

    def call(self, x, training=None):
        dense, bn = tf.nest.flatten(self.parts)
        return bn(dense(x), training=training)

    def get_config(self):
        return {**super().get_config(), "place": self.place}


# --8<-- [end:structures]


# --8<-- [start:table]
def by_keras(model):
    model.save("model.keras")
    return keras.saving.load_model("model.keras")


def by_weights(original, make):
    original.save_weights("trip.weights.h5")
    fresh = make()
    fresh.load_weights("trip.weights.h5")
    return fresh


def by_checkpoint(original, make, **more):
    saved = {key: getattr(original, name) for key, name in more.items()}
    path = tf.train.Checkpoint(model=original, **saved).save("trip/net")
    fresh = make()
    found = {key: getattr(fresh, name) for key, name in more.items()}
    status = tf.train.Checkpoint(model=fresh, **found).restore(path)
    status.assert_existing_objects_matched()
    return fresh


WAYS = {
    ".keras": lambda original, make: by_keras(original),
    ".weights.h5": by_weights,
    "Checkpoint": by_checkpoint,
    "and arrays": lambda *pair: by_checkpoint(*pair, arrays="variables"),
}


def outcome(way, original, make):
    try:
        other = way(original, make)
    except Exception as error:
        return type(error).__name__
    difference = np.abs(original(x, training=False) - other(x, training=False))
    return "equal" if np.max(difference) == 0 else "lost"


def row(structure, make):
    original = make()
    for step in range(2):
        original(x, training=True)  # moves the statistics
    outcomes = [outcome(way, original, make) for way in WAYS.values()]
    print("{:20}{:12}{:14}{:12}{}".format(structure, *outcomes))


def heading():
    print("{:20}{:12}{:14}{:12}{}".format("", *WAYS))


heading()
for place in [
    "made in build",
    "tuple",
    "list",
    "dict",
    "tuple of tuples",
    "list of lists",
]:
    row(place, lambda place=place: with_layer(Kept(place)))
# --8<-- [end:table]

# --8<-- [start:check]
from bn_tools import batch_norms

for model in [nets["net"], block, with_layer(Kept("list of lists"))]:
    print(type(model).__name__, len(batch_norms(model)))
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
    keras.saving.load_model("net.keras")
except TypeError as error:
    print("TypeError:", excerpt(error, "Could not locate", "load them."))
# --8<-- [end:stranger]


# --8<-- [start:unregistered_class]
class Unregistered(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.bn = keras.layers.BatchNormalization()

    def call(self, x, training=None):
        return self.bn(x, training=training)


# --8<-- [end:unregistered_class]

# --8<-- [start:unregistered]
unregistered = with_layer(Unregistered())
train(unregistered)
unregistered.save("unregistered.keras")

for objects in [None, {"Unregistered": Unregistered}]:
    try:
        loaded = keras.saving.load_model(
            "unregistered.keras", custom_objects=objects
        )
    except TypeError as error:
        print("TypeError:", excerpt(error, "Could not locate", "load them."))
        continue
    np.testing.assert_array_equal(
        unregistered(x, training=False), loaded(x, training=False)
    )
    print("with custom_objects: predictions equal")
# --8<-- [end:unregistered]


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

    def call(self, x, training=None):
        return self.helper.bn(self.dense(x), training=training)


@keras.saving.register_keras_serializable(package="demo")
class Found(Hidden):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.bn = self.helper.bn  # an attribute as well


heading()
for cls in [Hidden, Found]:
    row(cls.__name__, lambda cls=cls: with_layer(cls()))
for cls in [Hidden, Found]:
    found = len(batch_norms(with_layer(cls())))
    print(f"BatchNormalization layers in {cls.__name__}: {found}")
# --8<-- [end:hidden]

# --8<-- [start:received_zero]
with_layer(Hidden()).save_weights("hidden.weights.h5")
try:
    with_layer(Found()).load_weights("hidden.weights.h5")
except ValueError as error:
    message = excerpt(error, "expected", "loading.")
    print("ValueError:", message)
# --8<-- [end:received_zero]


# --8<-- [start:in_lambda]
def in_lambda():
    bn = keras.layers.BatchNormalization()
    return with_layer(keras.layers.Lambda(lambda x: bn(x), output_shape=(8,)))


@keras.saving.register_keras_serializable(package="demo")
class Normalize(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.bn = keras.layers.BatchNormalization()

    def call(self, x, training=None):
        return self.bn(x, training=training)


heading()
row("called in a Lambda", in_lambda)
row("called in a layer", lambda: with_layer(Normalize()))
print("BatchNormalization layers found:", len(batch_norms(in_lambda())))

in_lambda().save("lambda.keras")
try:
    keras.saving.load_model("lambda.keras")
except ValueError as error:
    print("ValueError:", excerpt(error, "Requested", "`Lambda` layer"))
# --8<-- [end:in_lambda]


# --8<-- [start:without_super]
@keras.saving.register_keras_serializable(package="demo")
class WithoutSuper(keras.layers.BatchNormalization):
    def __init__(self, label="", **kwargs):
        super().__init__(**kwargs)
        self.label = label

    def get_config(self):
        return {"label": self.label}  # super().get_config() is missing


@keras.saving.register_keras_serializable(package="demo")
class WithSuper(WithoutSuper):
    def get_config(self):
        config = keras.layers.BatchNormalization.get_config(self)
        return {**config, "label": self.label}


for cls in [WithoutSuper, WithSuper]:
    labeled = with_layer(cls("input", epsilon=10.0))
    loaded = by_keras(labeled)
    equal = np.array_equal(
        labeled(x, training=False), loaded(x, training=False)
    )
    epsilon = loaded.layers[0].epsilon
    print(f"{cls.__name__}: epsilon {epsilon}, predictions equal: {equal}")
# --8<-- [end:without_super]


# --8<-- [start:without_kwargs]
@keras.saving.register_keras_serializable(package="demo")
class WithoutKwargs(Normalize):
    def __init__(self):
        super().__init__()

    def get_config(self):
        return super().get_config()


with_layer(WithoutKwargs()).save("without_kwargs.keras")
try:
    keras.saving.load_model("without_kwargs.keras")
except TypeError as error:
    print("TypeError:", excerpt(error, "WithoutKwargs.__init__", "'name'"))
# --8<-- [end:without_kwargs]


# --8<-- [start:in_call]
class NewEachCall(keras.layers.Layer):
    def call(self, x, training=None):
        x = keras.layers.Dense(16)(x)
        return keras.layers.BatchNormalization()(x, training=training)


class MadeAtFirstCall(keras.layers.Layer):
    def call(self, x, training=None):
        if not hasattr(self, "bn"):
            self.bn = keras.layers.BatchNormalization()
        return self.bn(x, training=training)


for layer in [NewEachCall(), Block(16)]:
    equal = np.array_equal(layer(x), layer(x))
    arrays = len(layer.weights)
    print(f"{type(layer).__name__}: {arrays} arrays, two calls equal: {equal}")
try:
    with_layer(MadeAtFirstCall())
except ValueError as error:
    print("ValueError:", excerpt(error, "You cannot add", "already built."))
# --8<-- [end:in_call]


# --8<-- [start:mixture]
@keras.saving.register_keras_serializable(package="demo")
class Unit(keras.layers.Layer):  # has no build
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = keras.layers.Dense(units)
        self.bn = keras.layers.BatchNormalization()

    def call(self, x, training=None):
        return self.bn(self.dense(x), training=training)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="demo")
class UnitNet(keras.Model):  # has no build either
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.unit = Unit(16)
        self.out = keras.layers.Dense(3, activation="softmax")

    def call(self, x, training=False):
        return self.out(self.unit(x, training=training))


@keras.saving.register_keras_serializable(package="demo")
class Mixture(UnitNet):
    def build(self, input_shape):
        self.unit.build(input_shape)  # builds nothing
        self.out.build((*input_shape[:-1], 16))


for cls in [UnitNet, Mixture]:
    model = cls()
    train(model)
    loaded = by_keras(model)
    arrays = len(loaded.weights)
    equal = np.array_equal(model(x, training=False), loaded(x, training=False))
    print(f"{cls.__name__}: {arrays} arrays, predictions equal: {equal}")
# --8<-- [end:mixture]

# --8<-- [start:mixture_fix]
Mixture.build = UnitNet.build
rescued = keras.saving.load_model("model.keras")  # saved by Mixture above
np.testing.assert_array_equal(
    model(x, training=False), rescued(x, training=False)
)
print(len(rescued.weights), "arrays, predictions equal")
# --8<-- [end:mixture_fix]
