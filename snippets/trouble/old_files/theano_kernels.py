# --8<-- [start:old]
import numpy as np
from keras.layers import BatchNormalization, Convolution2D, Dense, Flatten
from keras.models import Sequential

np.random.seed(0)
x = (np.random.randn(64, 5, 5, 2) * 3 + 5).astype("float32")
for order in ["tf", "th"]:
    images = x if order == "tf" else x.transpose(0, 3, 1, 2)
    shape = images.shape[1:]
    model = Sequential()
    model.add(Convolution2D(3, 3, 3, input_shape=shape, dim_ordering=order))
    model.add(BatchNormalization(axis=-1 if order == "tf" else 1))
    model.add(Flatten())
    model.add(Dense(1))
    model.compile("adam", "mse")
    model.fit(images, x[:, 0, 0, :1], nb_epoch=5, verbose=0)
    model.save_weights(order + ".h5")
    np.savez(order + ".npz", x=x, predictions=model.predict(images))
# --8<-- [end:old]

# --8<-- [start:setup]
import h5py
import keras
import numpy as np


def build_model(order):
    layers = [
        keras.Input(shape=(5, 5, 2)),
        keras.layers.Conv2D(3, 3),
        keras.layers.BatchNormalization(epsilon=1e-5),
        keras.layers.Permute((3, 1, 2)) if order == "th" else None,
        keras.layers.Flatten(),
        keras.layers.Dense(1),
    ]
    return keras.Sequential([layer for layer in layers if layer is not None])


def off(order, model):
    old = np.load(f"{order}.npz")
    now = model.predict(old["x"], verbose=0)
    return np.max(np.abs(now - old["predictions"]))


# --8<-- [end:setup]

# --8<-- [start:see]
for order in ["tf", "th"]:
    model = build_model(order)
    try:
        model.load_weights(f"{order}.h5")
        print(f"{order}.h5: off by more than 0.1: {off(order, model) > 0.1}")
    except ValueError as error:
        print(f"{order}.h5: ValueError:", str(error).splitlines()[0][:56])
# --8<-- [end:see]


# --8<-- [start:fix]
def load(path, model, kernel):
    """Set all arrays in the order of the file, kernels of images converted."""
    with h5py.File(path) as file:
        group = file.get("model_weights", file)
        stored = []
        for layer in map(group.get, group.attrs["layer_names"]):
            names = layer.attrs["weight_names"]
            if len(names):
                stored.append([layer[name][()] for name in names])
    layers = [layer for layer in model.layers if layer.weights]
    for layer, arrays in zip(layers, stored, strict=True):
        if arrays[0].ndim > 2:
            if type(layer) is not keras.layers.Conv2D:
                raise ValueError(f"{layer.name}: tried with Conv2D only")
            arrays[0] = kernel(arrays[0])
        layer.set_weights(arrays)


def flip(kernel):
    if kernel.ndim != 4:
        raise ValueError(f"{kernel.shape}: tried with Conv2D only")
    return kernel[::-1, ::-1]


def turn(kernel):
    return kernel.transpose(2, 3, 1, 0)


def both(kernel):
    return flip(turn(kernel))


for order, kernel in [("tf", flip), ("th", turn), ("th", both)]:
    model = build_model(order)
    load(f"{order}.h5", model, kernel)
    wrong = off(order, model) > 0.1
    print(f"{order}.h5, {kernel.__name__}: off by more than 0.1: {wrong}")
# --8<-- [end:fix]

# --8<-- [start:sure]
old = np.load("th.npz")
np.testing.assert_allclose(
    model.predict(old["x"], verbose=0), old["predictions"], rtol=1e-3, atol=1e-3
)
with h5py.File("th.h5") as file:
    stored = file["batchnormalization_2"]
    arrays = [stored[name][()] for name in stored.attrs["weight_names"]]
for kept, array in zip(model.layers[1].get_weights(), arrays, strict=True):
    np.testing.assert_array_equal(kept, array)
print(len(arrays), "arrays and", len(old["x"]), "predictions")
# --8<-- [end:sure]
