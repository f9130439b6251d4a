# --8<-- [start:keeps]
import functools
import json

import keras


def keeps_inner_settings(cls):
    """Class decorator: files keep flag and policy of each layer inside."""
    own, create = vars(cls).get("get_config"), cls.from_config
    build = cls.build_from_config

    @functools.wraps(cls.get_config)
    def get_config(self):
        # Not the parent's of now: Model(inputs, outputs) gets another parent.
        config = own(self) if own else super(cls, self).get_config()
        return {**config, "inner_settings": json.dumps(inner_settings(self))}

    def from_config(cls, config, *args, **kwargs):
        config = dict(config)
        text = config.pop("inner_settings", None)
        layer = create.__func__(cls, config, *args, **kwargs)
        layer._inner_settings = text
        set_inner_settings(layer, text and json.loads(text), layer.built)
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
# --8<-- [start:train]
import numpy as np

keras.utils.set_random_seed(0)
keras.config.set_dtype_policy("mixed_float16")
x = np.random.normal(5, 3, size=(100, 8)).astype("float32")
y = np.argmax(x[:, :3], axis=1)

net = Net(16)
net(x, training=True)  # moves the statistics
net.stages[0][0].trainable = False  # a block
net.stages[0][1].bn.trainable = False  # a layer in a block
net.compile("adam", "sparse_categorical_crossentropy", run_eagerly=True)
net.fit(x, y, batch_size=50, verbose=0)
# --8<-- [end:train]


# --8<-- [start:facts]
def show(model):
    trainable = f"{len(model.trainable_variables)} of {len(model.weights)}"
    policy = model.stages[0][0].bn.dtype_policy.name
    step = int(model.optimizer.iterations.numpy())
    print(f"trainable: {trainable}, inside: {policy}, optimizer at step {step}")


# --8<-- [end:facts]

# --8<-- [start:save]
from bn_tools import write_record

net.save("net.keras")
write_record("net.npz", net, x[:32])
show(net)
# --8<-- [end:save]

# --8<-- [start:reload]
from bn_tools import compare

loaded = keras.saving.load_model("net.keras")
show(loaded)
print("differences:", compare("net.npz", loaded))
# --8<-- [end:reload]


# --8<-- [start:refused]
@keras.saving.register_keras_serializable(package="demo")
@keeps_inner_settings
class Encoder(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        if DROPOUT:
            self.dropout = keras.layers.Dropout(0.1, name="dropout")
        self.attention = keras.layers.MultiHeadAttention(2, 4, name="attention")

    def build(self, shape):
        if BUILD:
            self.attention.build(shape, shape)

    def call(self, x):
        return self.attention(x, x)


DROPOUT = BUILD = False
encoder = keras.Sequential([keras.Input(shape=(5, 8)), Encoder()])
encoder.layers[0].attention.trainable = False
encoder.save("encoder.keras")

for DROPOUT, BUILD in [(False, False), (True, True), (False, True)]:
    try:
        loaded = keras.saving.load_model("encoder.keras")
        print("trainable arrays:", len(loaded.trainable_variables))
    except ValueError as error:
        print("ValueError:", error)
# --8<-- [end:refused]

# --8<-- [start:check]
from bn_tools import batch_norms

print("BatchNormalization layers:", len(batch_norms(net)))
# --8<-- [end:check]
