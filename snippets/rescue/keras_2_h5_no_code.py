# --8<-- [start:write]
import numpy as np
import tensorflow as tf

layers = tf.keras.layers
tf.keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 6, 8)).astype("float32")

inputs = layers.Input((4,))
outputs = layers.BatchNormalization(name="bn")(layers.Dense(4)(inputs))
base = tf.keras.Model(inputs, outputs, name="base")
base.trainable = False

inputs = layers.Input((6, 8))
h = layers.LSTM(4)(inputs / 2.0)  # a TensorFlow operation
h = layers.BatchNormalization(name="top_bn")(base(h, training=False))
model = tf.keras.Model(inputs, layers.Dense(1)(h))
for array in model.weights:
    array.assign(np.random.uniform(0.5, 1.5, size=array.shape))

model.save("model.h5")
arrays = {array.name: array.numpy() for array in model.weights}
np.savez("keras2.npz", x=x, predictions=model(x, training=False), **arrays)
# --8<-- [end:write]

# --8<-- [start:see]
import keras

try:
    keras.saving.load_model("model.h5", compile=False)
except ValueError as error:
    print("ValueError:", str(error)[:60])
# --8<-- [end:see]

# --8<-- [start:translate]
import json

import h5py

MODELS = ("Functional", "Model", "Sequential")
GONE = {"query_shape", "key_shape", "value_shape", "softmax_robust_masking"}
SEPARABLE = {"kernel_initializer", "kernel_regularizer", "kernel_constraint"}
SPATIAL = {"trainable", "noise_shape"}


def translate(config):
    """Return the configuration of a Keras 2 model in the words of Keras 3."""
    if isinstance(config, list):
        return [translate(each) for each in config]
    if not isinstance(config, dict):
        return config
    config = {k: translate(v) for k, v in config.items() if k != "build_config"}
    name, settings = config.get("class_name"), config.get("config")
    if not isinstance(name, str) or not isinstance(settings, dict):
        return config
    if name == "Policy":  # mixed precision
        return settings["name"]
    if name == "SyncBatchNormalization":
        name, settings["synchronized"] = "BatchNormalization", True
    for module in ("layers", "initializers", "regularizers", "constraints"):
        if hasattr(getattr(keras, module), name):
            config |= {"module": f"keras.{module}", "registered_name": None}
    if name in MODELS:
        config |= {"module": "keras", "registered_name": None}
        config["class_name"] = name.replace("Functional", "Model")
        if thawed(config):  # decides the order of the arrays in the file
            settings["trainable"] = True
        if "input_layers" in settings:
            connect(settings)
        return config
    config["class_name"] = name
    if isinstance(settings.get("axis"), list) and len(settings["axis"]) == 1:
        settings["axis"] = settings["axis"][0]
    shape = settings.pop("batch_input_shape", None)
    settings |= {"batch_shape": shape} if name == "InputLayer" else {}
    gone = GONE if name == "MultiHeadAttention" else {"rng_type"}
    gone = gone | (SEPARABLE if name.startswith("Separable") else set())
    gone |= SPATIAL if name.startswith("SpatialDropout") else set()
    if "Conv" in name and settings.get("groups") == 1:
        gone |= {"groups"}
    gone |= {"time_major"} if settings.get("time_major") is False else set()
    if "name" in settings:
        settings["name"] = settings["name"].replace("/", "_")
    config["config"] = {k: v for k, v in settings.items() if k not in gone}
    return config


def thawed(layer):
    if layer["class_name"] in MODELS:
        return any(map(thawed, layer["config"]["layers"]))
    return layer["config"].get("trainable", layer["class_name"] != "InputLayer")


def connect(model):
    kinds = {layer["name"]: layer["class_name"] for layer in model["layers"]}

    def is_tensor(value):
        return isinstance(value, list) and value and str(value[0]) in kinds

    def tensor(value):
        if isinstance(value, dict):
            return {key: tensor(each) for key, each in value.items()}
        if isinstance(value, list) and not is_tensor(value):
            return [tensor(each) for each in value]
        if not is_tensor(value):
            return value
        # Keras 2 counts the call that made a model itself, Keras 3 does not.
        node = value[1] - (kinds[value[0]] in MODELS)
        history = [value[0].replace("/", "_"), node, value[2]]
        what = {"shape": [], "dtype": "float32", "keras_history": history}
        return {"class_name": "__keras_tensor__", "config": what}

    def end(value):
        if isinstance(value, dict):
            return {key: end(each) for key, each in value.items()}
        if isinstance(value[0], list):
            return end(value[0]) if len(value) == 1 else [*map(end, value)]
        name, i, j = value
        return [name.replace("/", "_"), i - (kinds[name] == "Sequential"), j]

    for layer in model["layers"]:
        layer["name"] = layer["name"].replace("/", "_")
        for i, node in enumerate(layer["inbound_nodes"]):
            named = isinstance(node, dict)
            inputs = [node] if named or is_tensor(node) else node
            first = next(iter(node.values())) if named else inputs[0]
            if isinstance(first, str):
                raise ValueError(f"{layer['name']}: a constant comes first")
            given = first[3] if len(first) > 3 else {}
            args = [tensor(value) for value in inputs]
            layer["inbound_nodes"][i] = {
                "args": args if len(args) == 1 else [args],
                "kwargs": {key: tensor(value) for key, value in given.items()},
            }
    model |= {key: end(model[key]) for key in ("input_layers", "output_layers")}


def freeze(model, config):
    """Freeze all that is in a frozen model or layer, as Keras 2 did."""
    for each in config["config"]["layers"]:
        if each["class_name"] != "InputLayer":
            layer = model.get_layer(each["config"]["name"].replace("/", "_"))
            if each["class_name"] in MODELS:
                freeze(layer, each)
            if each["config"].get("trainable") is False:
                layer.trainable = True  # or False may do nothing
                layer.trainable = False


def load_keras_2(path, custom_objects=None):
    with h5py.File(path) as file:
        config = json.loads(file.attrs["model_config"])
    new = translate(config)
    model = keras.saving.deserialize_keras_object(new, custom_objects)
    model.load_weights(path)
    freeze(model, config)
    return model


# --8<-- [end:translate]


# --8<-- [start:operations]
import operator

import tensorflow as tf


class TFOpLambda(keras.layers.Layer):
    def __init__(self, function, **settings):
        super().__init__(**settings)
        self.function = function

    def call(self, *args, name=None, **kwargs):
        return operator.attrgetter(self.function)(tf)(*args, **kwargs)

    def get_config(self):
        return {**super().get_config(), "function": self.function}


# --8<-- [end:operations]

# --8<-- [start:load]
model = load_keras_2("model.h5", {"TFOpLambda": TFOpLambda})
model.save("model.keras")
# --8<-- [end:load]

# --8<-- [start:prove]
import numpy as np

keras2 = np.load("keras2.npz")
for bn in [model.get_layer("base").layers[-1], model.get_layer("top_bn")]:
    for name in ["gamma", "beta", "moving_mean", "moving_variance"]:
        array = keras2[f"{bn.name}/{name}:0"]
        np.testing.assert_array_equal(getattr(bn, name), array)
    print(bn.name, "4 arrays equal, trainable:", bn.trainable)
predictions = model.predict(keras2["x"], verbose=0)
np.testing.assert_allclose(predictions, keras2["predictions"], atol=1e-4)
print(len(predictions), "predictions equal within 1e-4")
# --8<-- [end:prove]
