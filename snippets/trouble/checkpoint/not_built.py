# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf
from bn_tools import layers_in

Dense, BN = keras.layers.Dense, keras.layers.BatchNormalization


class Chain(keras.Model):
    def __init__(self, *parts):
        super().__init__()
        self.parts = parts  # a tuple, which checkpoints follow

    def call(self, x, training=False):
        for part in self.parts:
            x = part(x)
        return x


class Block(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.dense, self.bn = Dense(6), BN()

    def call(self, x, training=False):
        return self.bn(self.dense(x), training=training)


class Late(keras.layers.Layer):
    def build(self, shape):  # its layers do not exist before
        self.dense, self.bn = Dense(6), BN()
        self.dense.build(shape)
        self.bn.build((None, 6))

    def call(self, x, training=False):
        return self.bn(self.dense(x), training=training)


structures = {
    "Dense, BN": lambda: Chain(Dense(6), BN()),
    "BN, Dense": lambda: Chain(BN(), Dense(6)),
    "Block, Block": lambda: Chain(Block(), Block()),
    "layers in build": lambda: Chain(Late(), Dense(6)),
    "Sequential, Dense": lambda: Chain(
        keras.Sequential([Dense(6), BN()]), Dense(6)
    ),
    "Sequential alone": lambda: keras.Sequential([Dense(6), BN()]),
    "with an Input": lambda: keras.Sequential(
        [keras.Input(shape=(6,)), Dense(6), BN()]
    ),
}
NAMES = ["kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance"]
x = np.zeros((1, 6))


def arrays_of(net):
    layers = layers_in(net, {}).values()
    found = [getattr(layer, n, None) for layer in layers for n in NAMES]
    return [variable for variable in found if variable is not None]


# --8<-- [end:setup]


# --8<-- [start:see]
def lost(make, build_first):
    model = make()
    model(x)
    for variable in model.variables:
        variable.assign(np.random.uniform(1, 2, variable.shape))
    path = tf.train.Checkpoint(model=model).write("structure")
    loaded = make()
    if build_first:
        loaded(x)
    status = tf.train.Checkpoint(model=loaded).read(path)
    status.assert_existing_objects_matched()
    loaded(x)
    pairs = zip(arrays_of(model), arrays_of(loaded), strict=True)
    names = [a.name for a, b in pairs if not np.array_equal(a, b)]
    return ", ".join(names) or "nothing lost"


for what, make in structures.items():
    print(f"{what:18}", lost(make, build_first=False))
# --8<-- [end:see]

# --8<-- [start:fix]
for what, make in structures.items():
    print(f"{what:18}", lost(make, build_first=True))
# --8<-- [end:fix]


# --8<-- [start:sure]
def assert_built(model):
    layers = layers_in(model, {}).values()
    unbuilt = [type(layer).__name__ for layer in layers if not layer.built]
    if unbuilt:
        raise ValueError(f"call the model once, no arrays yet in: {unbuilt}")


loaded = structures["Block, Block"]()
try:
    assert_built(loaded)
except ValueError as error:
    print("ValueError:", error)
loaded(x)
assert_built(loaded)
# --8<-- [end:sure]
