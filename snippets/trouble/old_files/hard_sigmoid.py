# --8<-- [start:old]
import numpy as np
from keras.layers import GRU, BatchNormalization, Bidirectional, Dense, Input
from keras.models import Model

np.random.seed(0)
x = (np.random.randn(64, 8, 3) * 3).astype("float32")
words = Input(shape=(8, 3))
h = Bidirectional(GRU(4, return_sequences=True))(words)
h = BatchNormalization(momentum=0.5)(h)
model = Model(words, Dense(1)(GRU(4)(h)))
model.compile("adam", "mse")
model.fit(x, x[:, -1, :1], epochs=10, verbose=0)
model.save("old.h5")
np.savez("old.npz", x=x, predictions=model.predict(x))
# --8<-- [end:old]

# --8<-- [start:setup]
import json

import h5py
import keras
import numpy as np

# A wrapper in an old file lacks what says where its inner layer is from.
with h5py.File("old.h5", "r+") as file:
    config = json.loads(file.attrs["model_config"])
    for layer in config["config"]["layers"]:
        if "layer" in layer["config"]:
            layer["config"]["layer"]["module"] = "keras.layers"
            layer["config"]["layer"]["registered_name"] = None
    file.attrs["model_config"] = json.dumps(config)

old = np.load("old.npz")


def off(model):
    now = model(old["x"], training=False)
    return np.max(np.abs(now - old["predictions"]))


# --8<-- [end:setup]

# --8<-- [start:see]
model = keras.saving.load_model("old.h5", compile=False)
print("off by more than 0.001:", off(model) > 0.001)
# --8<-- [end:see]

# --8<-- [start:why]
z = np.array([-2.75, -1.0, 0.0, 1.0, 2.75], "float32")
print("Keras 2:", np.clip(0.2 * z + 0.5, 0, 1))
print("Keras 3:", np.round(keras.activations.hard_sigmoid(z), 2))
# --8<-- [end:why]


# --8<-- [start:fix]
from bn_tools import layers_in


@keras.saving.register_keras_serializable("keras_2")
def old_hard_sigmoid(x):
    return keras.ops.clip(0.2 * x + 0.5, 0, 1)


def compute_as_keras_2(model):
    """Give a model the hard_sigmoid of Keras 2; returns how often it did."""
    changed = 0
    for layer in layers_in(model, {}).values():
        for name in ["activation", "recurrent_activation"]:
            if vars(layer).get(name) is keras.activations.hard_sigmoid:
                setattr(layer, name, old_hard_sigmoid)
                changed += 1
    return changed


print(compute_as_keras_2(model), "activations changed")
print("off by more than 0.001:", off(model) > 0.001)
# --8<-- [end:fix]

# --8<-- [start:sure]
model.save("today.keras")
reloaded = keras.saving.load_model("today.keras")
for before, after in zip(model.weights, reloaded.weights, strict=True):
    np.testing.assert_array_equal(before, after)
print("reloaded, off by more than 0.001:", off(reloaded) > 0.001)
# --8<-- [end:sure]
