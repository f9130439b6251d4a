# --8<-- [start:old]
import numpy as np
from keras.engine.topology import Layer
from keras.layers import BatchNormalization, Dense, Input
from keras.models import Model


class Shift(Layer):  # of a library that is gone today
    def __init__(self, start=0.0, **kwargs):
        self.start = start
        super().__init__(**kwargs)

    def build(self, input_shape):
        self.by = self.add_weight("by", input_shape[1:], initializer="ones")
        super().build(input_shape)

    def call(self, inputs):
        return inputs + self.by + self.start

    def get_config(self):
        return dict(super().get_config(), start=self.start)


np.random.seed(0)
x = (np.random.randn(64, 3) * 3 + 5).astype("float32")
for name in ["plain", "shifted"]:
    inputs = Input(shape=(3,))
    h = BatchNormalization(momentum=0.5)(Dense(4)(inputs))
    model = Model(inputs, Dense(1)(Shift(2.0)(h) if name == "shifted" else h))
    model.compile("adam", "mse")
    model.fit(x, x[:, :1], epochs=5, verbose=0)
    if name == "plain":
        model.save_weights("plain_weights.h5")
        with open("plain.json", "w") as file:
            file.write(model.to_json())
    else:
        model.save("shifted.h5")
    np.savez(name + ".npz", x=x, predictions=model.predict(x))
# --8<-- [end:old]

# --8<-- [start:see]
from pathlib import Path

import keras
import numpy as np

text = Path("plain.json").read_text("utf-8")
for what, load in {
    "plain.json": lambda: keras.models.model_from_json(text),
    "shifted.h5": lambda: keras.saving.load_model("shifted.h5", compile=False),
}.items():
    try:
        print(what, "is loaded:", load().name)
    except (TypeError, ValueError) as error:
        said = str(error).partition(". ")[0]
        print(f"{what}: {type(error).__name__}: {said}")
# --8<-- [end:see]

# --8<-- [start:fix]
import h5py


def join(config, weights, new):
    """Write a whole .h5 of a config in JSON and a file of weights."""
    with h5py.File(weights) as old, h5py.File(new, "x") as file:
        old.copy(old, file, "model_weights")
        file.attrs["model_config"] = config


join(text, "plain_weights.h5", "plain.h5")
plain = keras.saving.load_model("plain.h5", compile=False)
# --8<-- [end:fix]

# --8<-- [start:look]
import json

with h5py.File("shifted.h5") as file:
    for layer in json.loads(file.attrs["model_config"])["config"]["layers"]:
        if not hasattr(keras.layers, layer["class_name"]):
            print(layer["class_name"], layer["config"])
            group = file["model_weights"][layer["name"]]
            for name in group.attrs["weight_names"]:
                print("   ", name.decode(), group[name].shape)
# --8<-- [end:look]


# --8<-- [start:write]
class Shift(keras.layers.Layer):
    def __init__(self, start, **kwargs):
        super().__init__(**kwargs)
        self.start = start

    def build(self, input_shape):
        self.by = self.add_weight(shape=input_shape[1:], name="by")

    def call(self, inputs):
        return inputs + self.by + self.start

    def get_config(self):
        return {**super().get_config(), "start": self.start}


shifted = keras.saving.load_model(
    "shifted.h5", compile=False, custom_objects={"Shift": Shift}
)
# --8<-- [end:write]

# --8<-- [start:sure]
for name, model, path in [
    ("plain", plain, "plain.h5"),
    ("shifted", shifted, "shifted.h5"),
]:
    (bn,) = (e for e in model.layers if "batch_norm" in e.name)
    with h5py.File(path) as file:
        stored = file["model_weights"][bn.name]
        arrays = [stored[key][()] for key in stored.attrs["weight_names"]]
    for kept, array in zip(bn.get_weights(), arrays, strict=True):
        np.testing.assert_array_equal(kept, array)
    old = np.load(f"{name}.npz")
    now = model.predict(old["x"], verbose=0)
    np.testing.assert_allclose(now, old["predictions"], rtol=1e-3, atol=1e-4)
    print(name, len(arrays), "arrays and", len(now), "predictions")
# --8<-- [end:sure]
