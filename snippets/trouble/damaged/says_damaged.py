# --8<-- [start:setup]
import re
import shutil
from pathlib import Path

import h5py
import keras
import numpy as np
import tensorflow as tf


def build():
    return keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.BatchNormalization(momentum=0.5, name="bn"),
            keras.layers.Dense(3),
        ]
    )


x = np.random.normal(5, 3, size=(64, 4)).astype("float32")
model = build()
for _ in range(20):
    model(x, training=True)
Path("sound").mkdir()
model.save_weights("sound/model.weights.h5")
np.savez("sound/model.npz", *model.get_weights())
tf.train.Checkpoint(model=model).write("sound/checkpoint")
model.export("sound/exported", verbose=False)

data = "{}.data-00000-of-00001"
main_file = {
    "checkpoint": data.format("checkpoint"),
    "exported": data.format("exported/variables/variables"),
}


def load(folder, name):
    path, net = f"{folder}/{name}", build()
    if name == "model.weights.h5":
        net.load_weights(path)
    elif name == "model.npz":
        net.set_weights(list(np.load(path).values()))
    elif name == "checkpoint":
        status = tf.train.Checkpoint(model=net).read(path)
        status.assert_existing_objects_matched()
    else:
        loaded = tf.saved_model.load(path)
        return loaded.serve(x)
    return net(x, training=False)


def load_damaged(name, damage):
    shutil.rmtree("damaged", ignore_errors=True)
    shutil.copytree("sound", "damaged")
    damage(Path("damaged", main_file.get(name, name)))
    try:
        load("damaged", name)
        print(name, "loads")
    except Exception as error:
        # One line, without sizes and sums, which are others for each file.
        text = re.split(r": eof|, errno|: stored", str(error))[0]
        text = re.split(r"}} |\n\n", text)[1 if "\n\n" in text else -1]
        print(f"{name}\n{type(error).__name__}: {text}")


def cut(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def flip(file):
    number = model.get_layer("bn").moving_variance.numpy().tobytes()
    flipped = bytearray(number)
    flipped[3] ^= 0b01000000
    file.write_bytes(file.read_bytes().replace(number, flipped))


def drop_array(file):
    with h5py.File(file, "r+") as weights:
        del weights["layers/batch_normalization/vars/3"]


# --8<-- [end:setup]

# --8<-- [start:see]
load_damaged("model.weights.h5", cut)
# --8<-- [end:see]

# --8<-- [start:dropped]
load_damaged("model.weights.h5", drop_array)
# --8<-- [end:dropped]

# --8<-- [start:zip]
load_damaged("model.npz", cut)
# --8<-- [end:zip]

# --8<-- [start:crc]
load_damaged("model.npz", flip)
# --8<-- [end:crc]

# --8<-- [start:bytes]
load_damaged("exported", cut)
# --8<-- [end:bytes]

# --8<-- [start:tensors]
load_damaged("checkpoint", flip)
# --8<-- [end:tensors]

# --8<-- [start:lost]
load_damaged("checkpoint", Path.unlink)
# --8<-- [end:lost]

# --8<-- [start:fix]
shutil.rmtree("damaged")
shutil.copytree("sound", "damaged")
for name in ["model.weights.h5", "model.npz", "checkpoint", "exported"]:
    found = load("damaged", name)
    np.testing.assert_allclose(found, model(x, training=False), atol=1e-5)
    print(name, "loads")
# --8<-- [end:fix]

# --8<-- [start:sure]
import hashlib

for damage in [None, cut, flip]:
    shutil.copy("sound/model.npz", "damaged/model.npz")
    if damage:
        damage(Path("damaged/model.npz"))
    sums = [
        hashlib.sha256(Path(folder, "model.npz").read_bytes()).hexdigest()
        for folder in ["sound", "damaged"]
    ]
    print(damage.__name__ if damage else "copied", sums[0] == sums[1])
# --8<-- [end:sure]
