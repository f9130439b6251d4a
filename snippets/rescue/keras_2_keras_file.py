# --8<-- [start:models]
from tensorflow import keras
from tensorflow.keras import layers


@keras.utils.register_keras_serializable("mine")
class Block(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.bn = layers.BatchNormalization(name="block_bn")

    def build(self, input_shape):
        self.bn.build(input_shape)
        self.built = True

    def call(self, x, training=False):
        return self.bn(x, training=training)


@keras.utils.register_keras_serializable("mine")
class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.block = Block()

    def call(self, x, training=False):
        return self.block(x, training=training)


def functional():
    inputs = keras.Input(shape=(8,))
    x = layers.Dense(4)(inputs)
    x = layers.BatchNormalization(name="bn")(x)
    return keras.Model(inputs, layers.Dense(1)(x))


def frozen_base():
    base = functional()
    base.trainable = False
    inputs = keras.Input(shape=(8,))
    x = base(inputs, training=False)
    return keras.Model(inputs, layers.BatchNormalization(name="top_bn")(x))


def sequential():
    return keras.Sequential([keras.Input(shape=(8,)), Block()])


def subclassed():
    model = Net()
    model(keras.backend.zeros((1, 8)))  # a call makes the arrays
    return model


MODELS = [functional, sequential, frozen_base, subclassed]
ARRAYS = ["gamma", "beta", "moving_mean", "moving_variance"]
# --8<-- [end:models]

# --8<-- [start:write]
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 8)).astype("float32")
expected = {"x": x}
for build in MODELS:
    model, name = build(), build.__name__
    for variable in model.weights:
        variable.assign(np.random.uniform(0.5, 2, size=variable.shape))
    if build is functional:
        model.compile("adam", "mse")
        model.fit(x, x[:, :1], verbose=0)
    model.save(f"{name}.keras")
    expected[f"{name}-predictions"] = model(x, training=False)
    for layer in model.submodules:
        if isinstance(layer, layers.BatchNormalization):
            for array in ARRAYS:
                key = f"{name}-{layer.name}-{array}"
                expected[key] = getattr(layer, array)
np.savez("expected.npz", **expected)
# --8<-- [end:write]

# --8<-- [start:write_2_12]
import tensorflow as tf

bn = tf.keras.layers.BatchNormalization()
tf.keras.Sequential([tf.keras.Input(shape=(8,)), bn]).save("old.keras")
# --8<-- [end:write_2_12]

# --8<-- [start:kind]
import json
import zipfile

import h5py


def written_by(path):
    """Say what a .keras file is, and which Keras wrote it."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            metadata = json.loads(archive.read("metadata.json"))
        return "zip", metadata["keras_version"]
    with h5py.File(path) as file:
        return "HDF5", file.attrs["keras_version"]


for path in ["functional.keras", "old.keras"]:
    print(f"{path:16}", *written_by(path))
# --8<-- [end:kind]

# --8<-- [start:code]
model = functional()  # your code
model.load_weights("functional.keras")
# --8<-- [end:code]

# --8<-- [start:prove]
import numpy as np
from bn_tools import batch_norms


def check(name, model, expected):
    for layer in batch_norms(model):
        for array in ARRAYS:
            np.testing.assert_array_equal(
                getattr(layer, array), expected[f"{name}-{layer.name}-{array}"]
            )
    predictions = model(expected["x"], training=False)
    wanted = expected[f"{name}-predictions"]
    # Another version may add up in another order.
    np.testing.assert_allclose(predictions, wanted, rtol=1e-4, atol=1e-4)
    print(f"{name:12} BatchNormalization: {len(batch_norms(model))}, equal")


expected = np.load("expected.npz")
for build in MODELS:
    model = build()
    model.load_weights(f"{build.__name__}.keras")
    check(build.__name__, model, expected)
# --8<-- [end:prove]

# --8<-- [start:read]
import numpy as np
import tf_keras

expected = np.load("expected.npz")
model = tf_keras.models.load_model("functional.keras")
bn = model.get_layer("bn")
for array in ["gamma", "beta", "moving_mean", "moving_variance"]:
    wanted = expected[f"functional-bn-{array}"]
    np.testing.assert_array_equal(getattr(bn, array), wanted)
predictions = model(expected["x"], training=False)
wanted = expected["functional-predictions"]
np.testing.assert_allclose(predictions, wanted, rtol=1e-4, atol=1e-4)
print("four arrays equal, step:", int(model.optimizer.iterations))
# --8<-- [end:read]
