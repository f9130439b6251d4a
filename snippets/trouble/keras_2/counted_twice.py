# --8<-- [start:build]
from tensorflow import keras


def build_model():
    model = keras.Sequential([keras.Input(shape=(4,))])
    for name in ["a", "b", "c"]:
        model.add(keras.layers.Dense(4, name=f"dense_{name}"))
        model.add(keras.layers.BatchNormalization(name=f"bn_{name}"))
    return model


# --8<-- [end:build]

# --8<-- [start:write]
import numpy as np

model = build_model()
for variable in model.weights:
    variable.assign(np.random.uniform(0.5, 2, size=variable.shape))
model.save("counted.keras", save_format="keras_v3")
x = np.random.normal(5, 3, size=(64, 4)).astype("float32")
predictions = model(x, training=False)
np.savez("counted.npz", *model.get_weights(), x=x, predictions=predictions)
# --8<-- [end:write]

# --8<-- [start:see]
build_model().save("today.keras")
for path in ["today.keras", "counted.keras"]:
    try:
        build_model().load_weights(path)
        print(f"{path}: loaded")
    except ValueError as error:
        print("ValueError:", str(error).partition(".")[0])
# --8<-- [end:see]

# --8<-- [start:why]
import io
import zipfile

import h5py

for path in ["today.keras", "counted.keras"]:
    with zipfile.ZipFile(path) as archive:
        weights = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(weights) as file:
        for group in {"layers", "_layer_checkpoint_dependencies"} & set(file):
            print(path, *sorted(file[group]), sep="\n  ")
# --8<-- [end:why]

# --8<-- [start:skip]
import warnings

import numpy as np

expected = np.load("counted.npz")
wrong = build_model()
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    wrong.load_weights("counted.keras", skip_mismatch=True)
mean_of_b = expected["arr_10"]
for name in ["bn_b", "bn_c"]:
    mean = wrong.get_layer(name).moving_mean.numpy()
    print(f"{name} untrained: {not np.any(mean)},", end=" ")
    print("as bn_b was:", np.array_equal(mean, mean_of_b))
# --8<-- [end:skip]

# --8<-- [start:fix]
import io
import zipfile

import h5py


def number_again(path, new):
    """Copy a .keras file of Keras 2.12 or 2.13 with the numbers of 3."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    weights = io.BytesIO(parts["model.weights.h5"])
    with h5py.File(weights, "r+") as file:
        groups = []
        file.visit(groups.append)
        for group in sorted(groups, key=len, reverse=True):
            if group.endswith("_layer_checkpoint_dependencies"):
                number_layers(file[group])
    parts["model.weights.h5"] = weights.getvalue()
    with zipfile.ZipFile(new, "x") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def number_layers(group):
    numbers = {}
    for name in group:
        stem, _, number = name.rpartition("_")
        if number.isdigit() and stem in group:
            numbers.setdefault(stem, []).append(int(number))
    for stem, found in numbers.items():
        for place, number in enumerate(sorted(found), 1):
            if place != number:
                group.move(f"{stem}_{number}", f"{stem}_{place}")


number_again("counted.keras", "again.keras")
rebuilt = build_model()
rebuilt.load_weights("again.keras")
# --8<-- [end:fix]

# --8<-- [start:sure]
for i, array in enumerate(rebuilt.get_weights()):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
predictions = rebuilt(expected["x"], training=False)
# Another version may add up in another order.
np.testing.assert_allclose(predictions, expected["predictions"], rtol=1e-5)
print(i + 1, "arrays and", len(predictions), "predictions equal")
# --8<-- [end:sure]
