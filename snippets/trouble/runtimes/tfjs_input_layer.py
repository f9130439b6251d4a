# --8<-- [start:model]
import keras
import numpy as np

keras.utils.set_random_seed(0)
image = keras.Input(shape=(8, 8, 3), name="image")
y = keras.layers.Conv2D(4, 3, name="conv")(image)
y = keras.layers.BatchNormalization(name="bn")(y)
y = keras.layers.Activation("relu", name="relu")(y)
y = keras.layers.GlobalAveragePooling2D(name="pool")(y)
model = keras.Model(image, keras.layers.Dense(3, name="head")(y))
layer = model.get_layer("bn")  # random arrays stand in for training
layer.set_weights([np.random.uniform(0.5, 3, 4) for _ in range(4)])

x = np.random.normal(size=(16, 8, 8, 3)).astype("float32")
model.save("model.h5")
model.save("model.keras")
# --8<-- [end:model]

# --8<-- [start:convert]
from tensorflowjs import converters

converters.convert(["--input_format=keras", "model.h5", "from_h5"])
layers_model = "--output_format=tfjs_layers_model"
converters.convert(
    ["--input_format=keras_keras", layers_model, "model.keras", "from_keras"]
)
# --8<-- [end:convert]

# --8<-- [start:see]
from tfjs_browser import predict

print(predict("from_h5", x))
# --8<-- [end:see]

# --8<-- [start:fix]
import json

# Settings that TensorFlow.js does not read, and what it computes.
IGNORED = {
    "negative_slope": 0,
    "threshold": 0,
    "keepdims": False,
    "interpolation": "nearest",
    "output_padding": None,
}


def as_keras_2(item):
    """Return the configuration of a Keras 3 model as TensorFlow.js reads it."""
    if isinstance(item, list):
        return [as_keras_2(each) for each in item]
    if not isinstance(item, dict):
        return item
    if item.get("class_name") == "DTypePolicy":
        return item["config"]["name"]
    if item.get("class_name") == "__keras_tensor__":
        return [*item["config"]["keras_history"], {}]
    item = {key: as_keras_2(value) for key, value in item.items()}
    if item.get("class_name") == "LeakyReLU":
        item["config"]["alpha"] = item["config"].pop("negative_slope")
    elif isinstance(config := item.get("config"), dict):
        for key, value in IGNORED.items():
            if config.get(key, value) != value:
                raise ValueError(f"{config['name']}: {key} would be ignored")
        if "hard_sigmoid" in [v for v in config.values() if isinstance(v, str)]:
            raise ValueError(f"{config['name']}: it has another hard_sigmoid")
    if "batch_shape" in item:
        item["batch_input_shape"] = item.pop("batch_shape")
    for key in ("input_layers", "output_layers"):
        if isinstance(item.get(key), dict):
            item[key] = list(item[key].values())
        elif key in item and isinstance(item[key][0], str):
            item[key] = [item[key]]
    if "inbound_nodes" in item:
        nodes = [node["args"][0] for node in item["inbound_nodes"]]
        item["inbound_nodes"] = [
            node if isinstance(node[0], list) else [node] for node in nodes
        ]
    return item


def translate(file):
    """Rewrite the topology in a model.json of a layers model."""
    with open(file) as opened:
        told = json.load(opened)
    topology = told["modelTopology"]
    topology["model_config"] = as_keras_2(topology["model_config"])
    model = topology["model_config"]["config"]["name"]
    for group in told["weightsManifest"]:
        for array in group["weights"]:  # a Sequential model's have its name
            array["name"] = array["name"].removeprefix(f"{model}/")
    with open(file, "w") as opened:
        json.dump(told, opened)


translate("from_h5/model.json")
# --8<-- [end:fix]

# --8<-- [start:sure]
expected = model(x, training=False).numpy()
batch = predict("from_h5", x)
one = predict("from_h5", x[:1])
np.testing.assert_allclose(batch, expected, atol=1e-5)
np.testing.assert_allclose(one, expected[:1], atol=1e-5)
print(len(batch), "predictions within 1e-5, and one alone")
# --8<-- [end:sure]

# --8<-- [start:arrays]
with open("from_h5/model.json") as file:
    (group,) = json.load(file)["weightsManifest"]
names = [array["name"] for array in group["weights"]]
data = np.fromfile("from_h5/" + group["paths"][0], "float32")
arrays = dict(zip(names[:4], np.split(data[:16], 4)))
for variable in layer.variables:
    equal = np.array_equal(arrays[variable.path], variable.numpy())
    print(variable.path, "equal:", equal)
# --8<-- [end:arrays]

# --8<-- [start:other]
translate("from_keras/model.json")
message = predict("from_keras", x)
print(message[:44], message[44:].strip(), sep="\n")
# --8<-- [end:other]
