# --8<-- [start:open]
import json
import zipfile

import keras

UNREAD = -77  # what an array holds until it is loaded
# Written by Keras 2, refused by Keras 3, and without effect at this value.
NO_EFFECT = {"groups": 1, "time_major": False, "noise_shape": None}
KERNEL = ["kernel_initializer", "kernel_regularizer", "kernel_constraint"]
NOT_USED = {"SpatialDropout": ["trainable"], "SeparableConv": KERNEL}


def open_keras_2(path, custom_objects=None):
    """Return the model in a .keras file of Keras 2.14, 2.15 or tf_keras.

    Not compiled. Raises an error for what Keras 3 or the file does not have.
    """
    with zipfile.ZipFile(path) as archive:
        version = json.loads(archive.read("metadata.json"))["keras_version"]
        text = archive.read("config.json").decode()
        files = archive.namelist()
    if not version.startswith("2."):
        raise ValueError(f"{path} is of Keras {version[0]}")
    for name in ["hard_sigmoid", "TFOpLambda", "SlicingOpLambda"]:
        if f'"{name}"' in text:
            raise ValueError(f"{path}: Keras 3 has no equal of {name}")
    if any(file.startswith("assets/") for file in files):
        raise ValueError(f"{path}: a vocabulary is in it, which is not read")
    config = json.loads(text, object_hook=rewrite)
    config.pop("compile_config", None)
    model = keras.saving.deserialize_keras_object(config, custom_objects)
    for array in model.weights:
        array.assign(keras.ops.full_like(array, UNREAD))
    model.load_weights(path)
    arrays = model.get_weights()
    read = sum((array != UNREAD).any() for array in arrays)
    if read < len(arrays):
        raise ValueError(f"{path}: {read} of {len(arrays)} arrays")
    return model


def rewrite(part):
    """Write a part of the configuration as Keras 3 reads it."""
    kind, config = part.get("class_name"), part.get("config")
    module = str(part.get("module"))
    if module.startswith("tf_keras"):
        module = part["module"] = module[3:]
    if kind == "Policy":
        return config["name"]
    if isinstance(config, dict) and config.get("trainable") is False:
        # Keras 2 trains no layer inside a frozen one, whatever its own flag.
        text = json.dumps(config)
        text = text.replace('"trainable": true', '"trainable": false')
        config = part["config"] = json.loads(text)
    if kind == "Functional":
        part.update(module="keras", class_name="Model", registered_name=None)
        count_calls_from_0(config)
    if isinstance(config, dict) and "moving_mean_initializer" in config:
        if len(config["axis"]) == 1:
            config["axis"] = config["axis"][0]
    if module == "keras.layers":
        part.pop("build_config", None)
        shape = [] if kind == "InputLayer" else ["batch_input_shape"]
        for name in shape + NOT_USED.get(kind[:-2], []):
            config.pop(name, None)
        for name, value in NO_EFFECT.items():
            if config.get(name, "") == value and kind != "GroupNormalization":
                del config[name]
    return part


def count_calls_from_0(config):
    """Keras 2 counts the calls of a model in a model from 1."""
    models = {}
    for layer in config["layers"]:
        first = layer["config"].get("layers", [{}])[0]
        if first.get("class_name") == "InputLayer":
            models[layer["config"]["name"]] = layer["class_name"]

    def shift(calls, kinds):
        if isinstance(calls, dict):
            calls = list(calls.values())
        if isinstance(calls, list) and calls and isinstance(calls[0], str):
            calls[1] -= models.get(calls[0]) in kinds
        elif isinstance(calls, list):
            for call in calls:
                shift(call, kinds)

    for layer in config["layers"]:
        shift(layer["inbound_nodes"], ["Model", "Sequential"])
    shift(config["output_layers"], ["Sequential"])
    for ends in ["input_layers", "output_layers"]:
        if isinstance(config[ends], list) and len(config[ends]) == 1:
            config[ends] = config[ends][0]


# --8<-- [end:open]

# --8<-- [start:own]
import tensorflow as tf


@tf.keras.utils.register_keras_serializable("mine")
class Norm(tf.keras.layers.BatchNormalization):
    """A class of your own."""


# --8<-- [end:own]

# --8<-- [start:write]
import numpy as np
from tensorflow import keras
from tensorflow.keras import layers


def base():
    inputs = keras.Input(shape=(4,))
    model = keras.Model(inputs, layers.BatchNormalization()(inputs))
    model.trainable = False
    model.layers[1].trainable = True  # has no effect in a frozen model
    return model


def functional():
    left, right = keras.Input(shape=(4,)), keras.Input(shape=(4,))
    frozen = base()
    x = layers.Add()([frozen(left), frozen(right)])
    return keras.Model([left, right], Norm()(x))


def sequential():
    model = keras.Sequential()
    model.add(layers.SeparableConv2D(4, 3, input_shape=(8, 8, 1)))
    model.add(layers.BatchNormalization(scale=False))
    model.add(layers.DepthwiseConv2D(3))
    model.add(layers.BatchNormalization(axis=1))
    model.add(layers.GlobalAveragePooling2D())
    return model


def steps():
    inputs = keras.Input(shape=(5, 4))
    x = layers.TimeDistributed(base())(inputs)
    return keras.Model(inputs, layers.LSTM(3)(x))


def operation():
    inputs = keras.Input(shape=(4,))
    return keras.Model(inputs, Norm()(inputs * 2))


lookup = layers.StringLookup()
lookup.adapt(["a", "b"])
inputs = keras.Input(shape=(1,), dtype="string")
keras.Model(inputs, lookup(inputs)).save("words.keras")
for build in [functional, sequential, steps, operation]:
    model, name = build(), build.__name__
    for variable in model.weights:
        variable.assign(np.random.uniform(0.5, 2, size=variable.shape))
    model.save(f"{name}.keras")
    x = [np.random.normal(size=(5, *i.shape[1:])) for i in model.inputs]
    arrays = {f"w{i}": array for i, array in enumerate(model.get_weights())}
    arrays["y"] = model(x if x[1:] else x[0], training=False)
    arrays["trainable"] = len(model.trainable_variables)
    np.savez(f"{name}.npz", *x, **arrays)
# --8<-- [end:write]

# --8<-- [start:use]
model = open_keras_2("functional.keras")
model.save("today.keras")
# --8<-- [end:use]

# --8<-- [start:prove]
import numpy as np


def check(model, name):
    expected = np.load(f"{name}.npz")
    wanted = {expected[key].tobytes() for key in expected if key[0] == "w"}
    arrays = {array.tobytes() for array in model.get_weights()}
    x = [expected[f"arr_{i}"] for i in range(len(model.inputs))]
    y = model(x if x[1:] else x[0], training=False)
    np.testing.assert_allclose(y, expected["y"], rtol=1e-4, atol=1e-4)
    flags = len(model.trainable_variables) == expected["trainable"]
    print(f"{name:10} arrays: {arrays == wanted}, trainable: {flags}")


for name in ["functional", "sequential", "steps"]:
    check(open_keras_2(f"{name}.keras"), name)
check(keras.saving.load_model("today.keras"), "functional")
# --8<-- [end:prove]

# --8<-- [start:refuse]
for path in ["operation.keras", "words.keras", "today.keras"]:
    try:
        open_keras_2(path)
    except ValueError as error:
        print("ValueError:", error)
# --8<-- [end:refuse]
