# --8<-- [start:setup]
import hashlib
import shutil
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np

from bn_tools import compare, write_record

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 4)).astype("float32")
model = keras.Sequential(
    [
        keras.Input(shape=(4,)),
        keras.layers.BatchNormalization(momentum=0.5, name="bn"),
        keras.layers.Dense(3),
    ]
)
for _ in range(20):
    model(x, training=True)


def rewrite(file, swap):
    """Write the archive anew, as a tool that edits it does."""
    with zipfile.ZipFile(file) as archive:
        archive.extractall("parts")
    with h5py.File("parts/model.weights.h5", "r+") as weights:
        arrays = weights["layers/batch_normalization/vars"]
        mean, variance = arrays["2"][:], arrays["3"][:]
        if swap:
            mean, variance = variance, mean
        arrays["2"][:], arrays["3"][:] = mean, variance
    with zipfile.ZipFile(file, "w") as archive:
        for part in Path("parts").iterdir():
            archive.write(part, part.name)


# --8<-- [end:setup]

# --8<-- [start:see]
model.save("model.keras")
bn = model.get_layer("bn")
for swap in [False, True]:
    shutil.copy("model.keras", "rewritten.keras")
    rewrite("rewritten.keras", swap)
    loaded = keras.saving.load_model("rewritten.keras").get_layer("bn")
    for name in ["moving_mean", "moving_variance"]:
        if np.array_equal(loaded.moving_mean, getattr(bn, name)):
            print("moving_mean holds", name)
# --8<-- [end:see]


# --8<-- [start:fix]
def checksum(file):
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


right = checksum("model.keras")
shutil.copy("model.keras", "copied.keras")
for file in ["copied.keras", "rewritten.keras"]:
    print(f"{file}: the file that was saved: {checksum(file) == right}")
# --8<-- [end:fix]

# --8<-- [start:sure]
write_record("record.npz", model, x[:32])
for file in ["copied.keras", "rewritten.keras"]:
    loaded = keras.saving.load_model(file)
    found = compare("record.npz", loaded) or ["nothing differs"]
    print(file, *found, sep="\n    ")
# --8<-- [end:sure]
