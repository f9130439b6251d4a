# --8<-- [start:setup]
import zipfile
from pathlib import Path

import keras
import numpy as np

model = keras.Sequential(
    [
        keras.Input(shape=(4,)),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(3),
    ]
)
x = np.random.normal(5, 3, size=(64, 4)).astype("float32")
model(x, training=True)
model.save("model.keras")
model.save("model.h5")
# --8<-- [end:setup]

# --8<-- [start:see]
archive = Path("model.keras").read_bytes()
for name, data in {
    "whole.keras": archive,
    "cut.keras": archive[: len(archive) // 2],
    "hdf5.keras": Path("model.h5").read_bytes(),
    "pointer.keras": b"version https://git-lfs.github.com/spec/v1\n",
    "empty.keras": b"",
}.items():
    Path(name).write_bytes(data)
    try:
        keras.saving.load_model(name)
        print("loaded:", name)
    except ValueError as error:
        print("ValueError:", str(error).partition(". ")[0])
# --8<-- [end:see]

# --8<-- [start:h5]
for name, data in {
    "whole.h5": Path("model.h5").read_bytes(),
    "pointer.h5": Path("pointer.keras").read_bytes(),
    "page.h5": b"<!DOCTYPE html><title>Sign in</title>",
    "zip.h5": archive,
}.items():
    Path(name).write_bytes(data)
    try:
        keras.saving.load_model(name)
        print("loaded:", name)
    except OSError as error:
        print("OSError:", error)
# --8<-- [end:h5]


# --8<-- [start:fix]
def describe(file):
    if Path(file).is_dir():
        return "folder"
    first = Path(file).read_bytes()[:8]
    if first.startswith(b"PK"):
        return "zip archive" if zipfile.is_zipfile(file) else "zip, incomplete"
    if first == b"\x89HDF\r\n\x1a\n":
        return "HDF5"
    return f"something else: {first}"


for file in sorted([*Path(".").glob("*.keras"), *Path(".").glob("*.h5")]):
    print(f"{file.name:14} {describe(file)}")
# --8<-- [end:fix]

# --8<-- [start:rename]
if Path("renamed.h5").exists():
    raise FileExistsError("rename would write over it")
Path("hdf5.keras").rename("renamed.h5")
loaded = keras.saving.load_model("renamed.h5")
equal = np.array_equal(loaded(x, training=False), model(x, training=False))
print("renamed.h5, predictions equal:", equal)
# --8<-- [end:rename]

# --8<-- [start:sure]
for file in ["whole.keras", "cut.keras", "pointer.keras", "lost.keras"]:
    exists, whole = Path(file).exists(), zipfile.is_zipfile(file)
    print(f"{file:14} exists: {exists!s:6} whole: {whole}")
# --8<-- [end:sure]
