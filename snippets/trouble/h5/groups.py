# --8<-- [start:setup]
import json

import h5py
import keras
import numpy as np

x = np.random.normal(size=(64, 4, 4, 3)).astype("float32")


def build():
    return keras.Sequential(
        [
            keras.Input(shape=(4, 4, 3)),
            keras.layers.DepthwiseConv2D(3),
            keras.layers.Conv2DTranspose(2, 3),
            keras.layers.BatchNormalization(),
        ]
    )


model = build()
for _ in range(100):
    model(x, training=True)
model.save("new.h5")
model.save("old.h5")

# As an older Keras wrote it: with an argument that the layers no longer take.
with h5py.File("old.h5", "r+") as file:
    config = json.loads(file.attrs["model_config"])
    for layer in config["config"]["layers"][1:3]:
        layer["config"]["groups"] = 1
    file.attrs["model_config"] = json.dumps(config)
# --8<-- [end:setup]


# --8<-- [start:see]
def load(path, **custom_objects):
    try:
        return keras.saving.load_model(path, custom_objects)
    except TypeError as error:
        print("TypeError:", str(error).partition("encountered: ")[2])


for path in ["new.h5", "old.h5"]:
    print(path, "is loaded:", load(path) is not None)
# --8<-- [end:see]


# --8<-- [start:fix]
class Depthwise(keras.layers.DepthwiseConv2D):
    def __init__(self, *args, groups=1, **kwargs):
        super().__init__(*args, **kwargs)


class Transpose(keras.layers.Conv2DTranspose):
    def __init__(self, *args, groups=1, **kwargs):
        super().__init__(*args, **kwargs)


load("old.h5", DepthwiseConv2D=Depthwise)  # one of the two
loaded = load("old.h5", DepthwiseConv2D=Depthwise, Conv2DTranspose=Transpose)
# --8<-- [end:fix]

# --8<-- [start:sure]
for saved, array in zip(model.weights, loaded.weights, strict=True):
    np.testing.assert_array_equal(saved, array)
print(len(loaded.weights), "arrays equal")

rebuilt = build()
rebuilt.set_weights(loaded.get_weights())
rebuilt.save("model.keras")
loaded = keras.saving.load_model("model.keras")
print("from .keras:", [type(layer).__name__ for layer in loaded.layers])
# --8<-- [end:sure]
