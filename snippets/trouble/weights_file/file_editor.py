# --8<-- [start:setup]
import keras
import numpy as np


def build(inner, hidden=False):
    pixels = keras.Input((8, 8, 3))
    h = keras.layers.Conv2D(4, 3)(pixels)
    h = keras.layers.BatchNormalization()(h)
    if inner:
        base = keras.Model(pixels, h, name="base")
        pixels = keras.Input((8, 8, 3))
        h = base(pixels)
    h = keras.layers.GlobalAveragePooling2D()(h)
    h = keras.layers.BatchNormalization(name="bn")(h)
    if hidden:
        h = keras.layers.Dense(4, activation="relu", name="hidden")(h)
    return keras.Model(pixels, keras.layers.Dense(2, name="head")(h))


x = np.random.default_rng(0).normal(5, 3, (64, 8, 8, 3)).astype("float32")
models = {"flat": build(inner=False), "inner": build(inner=True)}
for name, model in models.items():
    model(x, training=True)
    model.save_weights(f"{name}.weights.h5")
# --8<-- [end:setup]

# --8<-- [start:see]
import h5py


def arrays_in(path):
    found = []
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.append((name, item)))
        return [name for name, item in found if isinstance(item, h5py.Dataset)]


for name in models:
    editor = keras.saving.KerasFileEditor(f"{name}.weights.h5")
    editor.save(f"{name}-edited.weights.h5")
    for path in [f"{name}.weights.h5", f"{name}-edited.weights.h5"]:
        print(f"arrays in {path}:", len(arrays_in(path)))
try:
    build(inner=True).load_weights("inner-edited.weights.h5")
except ValueError as error:
    print("ValueError:", str(error).partition(" Example")[0])
# --8<-- [end:see]


# --8<-- [start:fix]
import os
import shutil


def rename_layer(source, target, old, new):
    """Copy a `.weights.h5` file, and rename a layer with all that is in it.

    Args:
        source: The file, which stays as it is.
        target: The copy, which must not exist yet.
        old: The place of the layer in the file, as "layers/dense".
        new: Its place in the copy.

    Raises:
        FileExistsError: There is something at `target` already.
        ValueError: The file is of another kind, or its places do not fit.
    """
    if os.path.exists(target):
        raise FileExistsError(f"{target} exists already")
    with h5py.File(source) as file:
        if "layer_names" in file.attrs or "model_weights" in file:
            raise ValueError(f"{source} is a legacy .h5 file")
        if old not in file or new in file:
            raise ValueError(f"{source} has no {old}, or has {new} already")
    shutil.copyfile(source, target)
    with h5py.File(target, "r+") as file:
        file.move(old, new)


rename_layer(
    "inner.weights.h5", "renamed.weights.h5", "layers/dense", "layers/dense_1"
)
print("arrays in renamed.weights.h5:", len(arrays_in("renamed.weights.h5")))
# --8<-- [end:fix]


# --8<-- [start:sure]
def same(layer, other):
    pairs = zip(layer.get_weights(), other.get_weights(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


names = ["base", "bn", "head"]
for path in ["inner.weights.h5", "renamed.weights.h5"]:
    new = build(inner=True, hidden=True)
    hidden = new.get_layer("hidden")
    try:
        new.load_weights(path, objects_to_skip=[hidden])
    except ValueError as error:
        print("ValueError:", str(error).partition(" Example")[0])
    else:
        old = models["inner"]
        kept = [same(new.get_layer(n), old.get_layer(n)) for n in names]
        print("base, bn, head as saved:", *kept)
# --8<-- [end:sure]
