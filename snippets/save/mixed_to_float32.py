# --8<-- [start:in_float32]
import json
import zipfile

import keras
from bn_tools import layers_in

HALF = ["float16", "bfloat16", "mixed_float16", "mixed_bfloat16"]


def in_float32(file):
    """Load a .keras file for inference, with all of its layers in float32.

    Raises:
        ValueError: A class of your own fixes another type in its code, or the
            file holds more than arrays (a vocabulary, for example).
    """

    def changed(value, key=None):
        if isinstance(value, list):
            return [changed(each) for each in value]
        if isinstance(value, dict):
            if value.get("class_name") == "DTypePolicy":
                return changed(value["config"]["name"], key)
            return {key: changed(each, key) for key, each in value.items()}
        return "float32" if key == "dtype" and value in HALF else value

    with zipfile.ZipFile(file) as archive:
        if any(name.startswith("assets/") for name in archive.namelist()):
            raise ValueError("the file holds assets, which are not copied here")
        config = json.loads(archive.read("config.json"))
    config.pop("compile_config", None)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")  # for layers inside classes
    try:
        model = keras.saving.deserialize_keras_object(changed(config))
    finally:
        keras.config.set_dtype_policy(policy)
    model.load_weights(file)
    layers = layers_in(model, {}).values()
    left = [layer.name for layer in layers if layer.compute_dtype in HALF]
    if left:
        raise ValueError(f"not in float32, as their class says so: {left}")
    return model


# --8<-- [end:in_float32]


# --8<-- [start:setup]
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
x = np.random.normal(loc=5, scale=3, size=(1024, 8)).astype("float32")
y = (x[:, 0] > x[:, 1]).astype("float32")


def make_model():
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.BatchNormalization(name="bn", momentum=0.9),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid", dtype="float32"),
        ]
    )


keras.mixed_precision.set_global_policy("mixed_float16")
model = make_model()
model.compile(keras.optimizers.SGD(0.3), "binary_crossentropy")
model.fit(x, y, epochs=4, verbose=0)
model.save("mixed.keras")
predictions = model(x, training=False).numpy()
keras.mixed_precision.set_global_policy("float32")  # as in a new process


def arrays_equal(net):
    pairs = zip(model.get_weights(), net.get_weights(), strict=True)
    return all(np.array_equal(*pair) for pair in pairs)


def judge(name, answers):
    close = np.abs(answers - predictions).max() < 0.02
    accuracy = np.mean((np.ravel(answers) > 0.5) == y)
    print(f"{name}: within 0.02: {close}", end="  ")
    print("accuracy at least 0.95:", accuracy >= 0.95)


# --8<-- [end:setup]

# --8<-- [start:use]
served = in_float32("mixed.keras")
answers = served(x, training=False).numpy()
print("policy:", served.get_layer("bn").dtype_policy.name)
print("arrays equal:", arrays_equal(served))
print("predictions equal:", np.array_equal(answers, predictions))
judge("float32", answers)
np.savez("expected.npz", x=x, answers=answers)
# --8<-- [end:use]

# --8<-- [start:reload]
import numpy as np

expected = np.load("expected.npz")
loaded = in_float32("mixed.keras")
answers = loaded(expected["x"], training=False).numpy()
np.testing.assert_allclose(answers, expected["answers"], atol=1e-5)
print("equal, in a process that did not save")
# --8<-- [end:reload]


# --8<-- [start:nested]
@keras.saving.register_keras_serializable()
class Half(keras.layers.Dense):
    def __init__(self, units, **kwargs):
        super().__init__(units, **{**kwargs, "dtype": "mixed_float16"})


def mixed_layers(model):
    found = layers_in(model, {}).values()
    return sum(layer.compute_dtype == "float16" for layer in found)


keras.mixed_precision.set_global_policy("mixed_float16")
inputs = keras.Input(shape=(5, 8))
steps = keras.layers.TimeDistributed(keras.models.clone_model(model))(inputs)
both = keras.layers.Bidirectional(keras.layers.GRU(4))(steps)
nested = keras.Model(inputs, both)
keras.mixed_precision.set_global_policy("float32")
nested.save("nested.keras")
print(
    "mixed layers:",
    mixed_layers(nested) > 0,
    mixed_layers(in_float32("nested.keras")),
)

keras.Sequential([keras.Input(shape=(8,)), Half(1, name="half")]).save(
    "half.keras"
)
try:
    in_float32("half.keras")
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:nested]

# --8<-- [start:serve]
served = make_model()  # the global policy is float32
untrained = arrays_equal(served)
served.load_weights("mixed.keras")
print("arrays equal before:", untrained, "after:", arrays_equal(served))
judge("float32", served(x, training=False).numpy())
# --8<-- [end:serve]

# --8<-- [start:export]
model.export("exported", verbose=False)
exported = tf.saved_model.load("exported")
print("takes and returns", exported.serve(x).dtype.name)
judge("export", exported.serve(x))
# --8<-- [end:export]
