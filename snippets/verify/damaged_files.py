# --8<-- [start:sums]
import hashlib
from pathlib import Path


def sums_of(folder):
    sums = {}
    for file in Path(folder).rglob("*"):
        name = file.relative_to(folder).as_posix()
        if file.is_symlink() and file.is_dir():
            raise ValueError(f"{name} links to a folder, which is not read")
        if file.is_file() and name != "SHA256SUMS":
            with open(file, "rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            sums[name] = digest
    return sums


def write_sums(folder):
    lines = [f"{digest}  {name}\n" for name, digest in sums_of(folder).items()]
    if not lines:
        raise FileNotFoundError(f"no files in {folder}")
    Path(folder, "SHA256SUMS").write_text("".join(sorted(lines)), "utf-8")


def damaged_files(folder):
    text = Path(folder, "SHA256SUMS").read_text("utf-8")
    was = {line[66:]: line[:64] for line in text.splitlines()}
    now = sums_of(folder)
    found = [f"{name} is missing" for name in was.keys() - now.keys()]
    found += [f"{name} was not there" for name in now.keys() - was.keys()]
    both = was.keys() & now.keys()
    found += [f"{name} has changed" for name in both if was[name] != now[name]]
    return sorted(found)


# --8<-- [end:sums]

# --8<-- [start:setup]
import shutil

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(256, 4)).astype("float32")


def build():
    return keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.BatchNormalization(momentum=0.5, name="bn"),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )


model = build()
for _ in range(20):
    model(x, training=True)
predictions = model(x, training=False)

sound = Path("sound")
sound.mkdir()
model.save(sound / "model.keras")
model.save_weights(sound / "model.weights.h5")
model.save_weights(sound / "model.weights.json", max_shard_size=5e-7)
model.export(sound / "exported", verbose=False)


def flip(file, array):
    """Flip one bit of the first number of an array in a file."""
    number = np.float32(array).tobytes()
    flipped = bytearray(number)
    flipped[3] ^= 0b01000000
    data = Path(file).read_bytes()
    Path(file).write_bytes(data.replace(number, flipped))


# --8<-- [end:setup]

# --8<-- [start:use_sums]
write_sums("sound")
print(damaged_files("sound"))
# --8<-- [end:use_sums]

# --8<-- [start:find]
shutil.copytree("sound", "damaged")
print(damaged_files("damaged"))

bn = model.get_layer("bn")
flip("damaged/model.weights.h5", bn.moving_variance)
flip("damaged/exported/saved_model.pb", bn.epsilon)
Path("damaged/model_00001.weights.h5").unlink()
shutil.copy("sound/model_00000.weights.h5", "damaged/old_00000.weights.h5")
print(*damaged_files("damaged"), sep="\n")
# --8<-- [end:find]

# --8<-- [start:loads]
for folder in ["sound", "damaged"]:
    loaded, net = tf.saved_model.load(f"{folder}/exported"), build()
    net.load_weights(f"{folder}/model.weights.h5")
    for outputs in [net(x, training=False), loaded.serve(x)]:
        off = np.max(np.abs(outputs - predictions)) > 0.1
        print(f"{folder}: loads without an error, off by 0.1: {off}")
# --8<-- [end:loads]

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
