# --8<-- [start:whole]
import numpy as np
from keras.layers import BatchNormalization, Dense
from keras.models import Sequential

np.random.seed(0)
x = (np.random.randn(512, 3) * 6 + 5).astype("float32")
model = Sequential()
model.add(Dense(4, input_dim=3))
model.add(BatchNormalization())
model.add(Dense(1))
model.compile("adam", "mse")
model.fit(x, x[:, :1] - x[:, 1:2], nb_epoch=5, verbose=0)
model.save("whole.h5")
np.savez("whole.npz", x=x[:64], predictions=model.predict(x[:64]))
# --8<-- [end:whole]

# --8<-- [start:weights]
import numpy as np
from keras.layers import BatchNormalization, Dense
from keras.models import Sequential

np.random.seed(0)
x = (np.random.randn(512, 3) * 6 + 5).astype("float32")
model = Sequential()
model.add(Dense(4, input_dim=3))
model.add(BatchNormalization())
model.add(Dense(1))
model.compile("adam", "mse")
model.fit(x, x[:, :1] - x[:, 1:2], nb_epoch=5, verbose=0)
model.save_weights("weights.h5")
np.savez("weights.npz", x=x[:64], predictions=model.predict(x[:64]))
# --8<-- [end:weights]

# --8<-- [start:look]
import json

import h5py

with h5py.File("whole.h5") as file:
    print("Keras", file.attrs["keras_version"])
    for layer in json.loads(file.attrs["model_config"])["config"]:
        print(layer["class_name"], layer["config"]["name"])
        if layer["class_name"] == "BatchNormalization":
            print(*map(layer["config"].get, ["epsilon", "axis", "mode"]))
# --8<-- [end:look]

# --8<-- [start:function]
import re

import h5py
import keras
import numpy as np

TODAY = {
    "W": "kernel",
    "b": "bias",
    "gamma": "gamma",
    "beta": "beta",
    "running_mean": "moving_mean",
    "running_std": "moving_variance",
}
NAME = re.compile(rf"(.+)_({'|'.join(TODAY)})(_\d+)?(:0)?")


def read_keras_1(path):
    """Return the arrays of a file: {layer: {name of today: array}}."""
    found = {}
    with h5py.File(path) as file:
        config = str(file.attrs.get("model_config"))
        if mode := re.search(r'"mode": [12]', config):
            raise ValueError(f"a layer of today has no {mode[0]}")
        group = file.get("model_weights", file)
        if "layer_names" not in group.attrs:
            raise ValueError("no names: a file of Keras 0.3 or older")
        for layer in group.attrs["layer_names"]:
            for name in group[layer].attrs["weight_names"]:
                match = NAME.fullmatch(name.decode())
                if match is None:
                    raise ValueError(f"not known: {name.decode()}")
                arrays = found.setdefault(match[1], {})
                if TODAY[match[2]] in arrays:
                    raise ValueError(f"twice in the file: {match[1]}")
                arrays[TODAY[match[2]]] = group[layer][name][()]
    return found


def flat(model):
    for layer in model.layers:
        yield from flat(layer) if isinstance(layer, keras.Model) else [layer]


def load_keras_1(path, model, running_std, kernel=lambda array: array):
    """Set all arrays; ``running_std`` holds a "std" or a "variance"."""
    if running_std not in ("std", "variance"):
        raise ValueError('running_std is neither "std" nor "variance"')
    stored = read_keras_1(path)
    layers = {}
    for layer in flat(model):
        if layer.weights and layers.setdefault(layer.name, layer) is not layer:
            raise ValueError(f"two layers of the model: {layer.name}")
    if stored.keys() != layers.keys():
        raise ValueError(f"not in both: {stored.keys() ^ layers.keys()}")
    new = []
    for layer, arrays in stored.items():
        variables = {v.name: v for v in layers[layer].weights}
        if variables.keys() != arrays.keys():
            raise ValueError(f"{layer}: {[*arrays]} in the file")
        for name, array in arrays.items():
            if name == "kernel" and array.ndim > 2:
                array = kernel(array)
            if name == "moving_variance" and running_std == "std":
                epsilon = layers[layer].epsilon
                array = (array + epsilon) ** 2 - epsilon
            if variables[name].shape != array.shape:
                raise ValueError(f"{layer}: {name}: {array.shape} in file")
            new.append((variables[name], array))
    for variable, array in new:
        variable.assign(array)


# --8<-- [end:function]


# --8<-- [start:build]
def build_model(epsilon):
    return keras.Sequential(
        [
            keras.Input(shape=(3,)),
            keras.layers.Dense(4, name="dense_1"),
            keras.layers.BatchNormalization(
                epsilon=epsilon, name="batchnormalization_1"
            ),
            keras.layers.Dense(1, name="dense_2"),
        ]
    )


model = build_model(epsilon=0.001)
load_keras_1("whole.h5", model, running_std="variance")

older = build_model(epsilon=1e-6)
load_keras_1("weights.h5", older, running_std="std")
# --8<-- [end:build]


# --8<-- [start:prove]
for name, loaded in [("whole", model), ("weights", older)]:
    stored = read_keras_1(f"{name}.h5")["batchnormalization_1"]
    bn = loaded.get_layer("batchnormalization_1")
    for array in ["gamma", "beta", "moving_mean", "moving_variance"]:
        same = np.array_equal(getattr(bn, array), stored[array])
        print(f"{array:16} as in {name}.h5: {same}")
    old = np.load(f"{name}.npz")
    now = loaded.predict(old["x"], verbose=0)
    np.testing.assert_allclose(now, old["predictions"], rtol=1e-4, atol=1e-4)
    print(len(now), "predictions as in the old Keras")
# --8<-- [end:prove]
