# --8<-- [start:model]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(256, 4)).astype("float32")
y = np.argmax(x[:, :3], axis=1)


def build():
    return keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.BatchNormalization(momentum=0.9, name="bn"),
            keras.layers.Dense(16, activation="relu", name="hidden"),
            keras.layers.Dense(3, activation="softmax", name="output"),
        ]
    )


model = build()
model.compile(
    optimizer=keras.optimizers.Adam(0.01),
    loss="sparse_categorical_crossentropy",
)
model.fit(x, y, epochs=15, verbose=0)
predictions = model(x, training=False)
# --8<-- [end:model]

# --8<-- [start:save]
from pathlib import Path

import tensorflow as tf

sound = Path("sound")
sound.mkdir()
model.save(sound / "model.keras")
model.save_weights(sound / "model.weights.h5")
model.save_weights(sound / "model.weights.json", max_shard_size=5e-7)
model.save(sound / "model.h5")
model.export(sound / "exported", verbose=False)
tf.train.Checkpoint(model=model).write(str(sound / "checkpoint"))
np.savez(sound / "model.npz", *model.get_weights())
# --8<-- [end:save]


# --8<-- [start:load]
def load_weights(file):
    net = build()
    net.load_weights(file)
    return net(x, training=False)


def load_model(file):
    return keras.saving.load_model(file)(x, training=False)


def load_export(folder):
    served = tf.saved_model.load(folder)
    return served.serve(x)


def load_checkpoint(prefix):
    net = build()
    status = tf.train.Checkpoint(model=net).read(str(prefix))
    status.assert_existing_objects_matched()
    return net(x, training=False)


def load_npz(file):
    net = build()
    net.set_weights(list(np.load(file).values()))
    return net(x, training=False)


load = {
    "model.keras": load_model,
    "model.weights.h5": load_weights,
    "model.weights.json": load_weights,
    "model.h5": load_model,
    "exported": load_export,
    "checkpoint": load_checkpoint,
    "model.npz": load_npz,
}
for name, function in load.items():
    np.testing.assert_allclose(function(sound / name), predictions, atol=1e-5)
print(len(load), "formats load")
# --8<-- [end:load]


# --8<-- [start:damage]
variance = model.get_layer("bn").moving_variance.numpy().tobytes()
flipped = bytearray(variance)
flipped[3] ^= 0b01000000  # the highest bit of the first exponent


def cut(file):
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])


def flip(file):
    data = file.read_bytes()
    assert variance in data
    file.write_bytes(data.replace(variance, flipped))


# --8<-- [end:damage]

# --8<-- [start:edit]
import shutil
import zipfile

import h5py


def edit_hdf5(file, part_missing):
    with h5py.File(file, "r+") as opened:
        if "layers" in opened:
            group = opened["layers/batch_normalization/vars"]
            mean, variance = "2", "3"
        else:
            group = opened["model_weights/bn/sequential/bn"]
            mean, variance = "moving_mean", "moving_variance"
        if part_missing:
            del group[variance]
        else:
            swapped = group[variance][:], group[mean][:]
            group[mean][:], group[variance][:] = swapped


def edit_archive(file, part_missing):
    with zipfile.ZipFile(file) as archive:
        archive.extractall("parts")
    edit_hdf5("parts/model.weights.h5", part_missing)
    with zipfile.ZipFile(file, "w") as archive:
        for part in Path("parts").iterdir():
            archive.write(part, part.name)


def edit_npz(file, part_missing):
    arrays = dict(np.load(file))
    if part_missing:
        del arrays["arr_3"]
    else:
        arrays["arr_2"], arrays["arr_3"] = arrays["arr_3"], arrays["arr_2"]
    np.savez(file, **arrays)


# --8<-- [end:edit]


# --8<-- [start:table]
main_file = {name: name for name in load} | {
    "model.weights.json": "model_00000.weights.h5",
    "exported": "exported/variables/variables.data-00000-of-00001",
    "checkpoint": "checkpoint.data-00000-of-00001",
}
edit = {
    "model.keras": edit_archive,
    "model.npz": edit_npz,
    "model.weights.h5": edit_hdf5,
    "model.h5": edit_hdf5,
}


def load_damaged(name, damage, *options):
    folder = Path("damaged")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(sound, folder)
    damage(folder / main_file[name], *options)
    return load[name](folder / name)


def outcome(*damage):
    try:
        found = load_damaged(*damage)
    except Exception as error:
        return type(error).__name__
    return "OFF" if np.max(np.abs(found - predictions)) > 0.1 else "equal"


columns = ["cut", "bit flipped", "part missing", "arrays swapped"]
print(f"{'':20}" + "".join(f"{column:19}" for column in columns).rstrip())
for name in load:
    row = [outcome(name, cut), outcome(name, flip)]
    if name in edit:
        row += [outcome(name, edit[name], missing) for missing in (True, False)]
    else:
        row += [outcome(name, Path.unlink), "-"]
    print(f"{name:20}" + "".join(f"{cell:19}" for cell in row).rstrip())
# --8<-- [end:table]

# --8<-- [start:flip]
for name in ["model.weights.h5", "model.h5"]:
    shutil.copy(sound / name, name)
    flip(Path(name))
    off = np.max(np.abs(load[name](name) - predictions))
    print(f"{name:17} loads, off by more than 0.1: {off > 0.1}")
# --8<-- [end:flip]

# --8<-- [start:flip_value]
loaded = keras.saving.load_model("model.h5")
for net in [model, loaded]:
    moving_variance = net.get_layer("bn").moving_variance.numpy()
    print("below 1e-30:", moving_variance < 1e-30)
# --8<-- [end:flip_value]

# --8<-- [start:flip_detected]
shutil.copy(sound / "model.keras", "model.keras")
flip(Path("model.keras"))
try:
    keras.saving.load_model("model.keras")
except zipfile.BadZipFile as error:
    print("BadZipFile:", error)
# --8<-- [end:flip_detected]

# --8<-- [start:swap]
shutil.copy(sound / "model.keras", "model.keras")
edit_archive("model.keras", part_missing=False)

loaded = keras.saving.load_model("model.keras").get_layer("bn")
bn = model.get_layer("bn")
print(
    "moving_mean holds moving_variance:",
    np.array_equal(loaded.moving_mean, bn.moving_variance),
)
# --8<-- [end:swap]

# --8<-- [start:not_found]
hdf5 = (sound / "model.h5").read_bytes()
archive = (sound / "model.keras").read_bytes()
pointer = b"version https://git-lfs.github.com/spec/v1\n"
for name, data in {
    "cut.keras": archive[: len(archive) // 2],
    "hdf5.keras": hdf5,
    "pointer.keras": pointer,
    "empty.keras": b"",
}.items():
    Path(name).write_bytes(data)
    try:
        keras.saving.load_model(name)
    except ValueError as error:
        print("ValueError:", str(error).partition(". ")[0])
# --8<-- [end:not_found]


# --8<-- [start:first_bytes]
def describe(file):
    first = Path(file).read_bytes()[:8]
    if first.startswith(b"PK"):
        return "zip archive" if zipfile.is_zipfile(file) else "zip, incomplete"
    if first == b"\x89HDF\r\n\x1a\n":
        return "HDF5"
    return f"something else: {first}"


for file in sorted([*Path(".").glob("*.keras"), *sound.glob("model.*")]):
    print(f"{file.as_posix():24} {describe(file)}")
# --8<-- [end:first_bytes]

# --8<-- [start:rename]
shutil.copy("hdf5.keras", "renamed.h5")
np.testing.assert_array_equal(load_model("renamed.h5"), predictions)
print("predictions equal")
# --8<-- [end:rename]

# --8<-- [start:messages]
import re

for case in [
    ("model.weights.h5", cut),
    ("model.weights.h5", edit_hdf5, True),
    ("model.weights.json", Path.unlink),
    ("model.npz", cut),
    ("model.npz", flip),
    ("exported", cut),
    ("checkpoint", flip),
    ("checkpoint", Path.unlink),
]:
    try:
        load_damaged(*case)
    except Exception as error:
        # One line, without sizes and sums, which are others for each file.
        text = re.split(r": eof|, errno|: stored", str(error))[0]
        text = re.split(r"}} |\n\n", text)[1 if "\n\n" in text else -1]
        print(f"{case[0]}\n    {type(error).__name__}: {text}")
# --8<-- [end:messages]


# --8<-- [start:sums]
import hashlib
from pathlib import Path


def sha256(file):
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_sums(folder):
    sums = Path(folder, "SHA256SUMS")
    files = [f for f in Path(folder).rglob("*") if f.is_file() and f != sums]
    lines = [f"{sha256(f)}  {f.relative_to(folder).as_posix()}" for f in files]
    sums.write_text("\n".join(sorted(lines)))


def damaged_files(folder):
    lines = Path(folder, "SHA256SUMS").read_text().splitlines()
    sums = [line.split("  ", 1) for line in lines]
    return sorted(f for digest, f in sums if sha256(Path(folder, f)) != digest)


# --8<-- [end:sums]

# --8<-- [start:use_sums]
write_sums("sound")
print(damaged_files("sound"))
# --8<-- [end:use_sums]

# --8<-- [start:find]
shutil.rmtree("damaged")
shutil.copytree("sound", "damaged")
flip(Path("damaged/model.weights.h5"))
edit_archive("damaged/model.keras", part_missing=False)
print(damaged_files("damaged"))
# --8<-- [end:find]

# --8<-- [start:expect]
np.savez("expected.npz", x=x, predictions=predictions)
# --8<-- [end:expect]

# --8<-- [start:reload]
import keras
import numpy as np

assert not damaged_files("sound")
model = keras.saving.load_model("sound/model.keras")

expected = np.load("expected.npz")
np.testing.assert_array_equal(
    model(expected["x"], training=False), expected["predictions"]
)
print("the file is sound, the predictions are equal")
# --8<-- [end:reload]

# --8<-- [start:too_late]
write_sums("damaged")
print(damaged_files("damaged"))

loaded = load_weights("damaged/model.weights.h5")
print("predictions equal:", np.array_equal(loaded, predictions))
# --8<-- [end:too_late]
