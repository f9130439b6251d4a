# --8<-- [start:setup]
import shutil
import zipfile
from pathlib import Path

import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 4)).astype("float32")
model = keras.Sequential(
    [
        keras.Input(shape=(4,)),
        keras.layers.BatchNormalization(momentum=0.5, name="bn"),
        keras.layers.Dense(3, activation="softmax"),
    ]
)
for _ in range(20):
    model(x, training=True)
predictions = model(x, training=False)

model.save_weights("model.weights.h5")
model.save("model.h5")
model.save("model.keras")
for path in Path(".").glob("model.*"):
    shutil.copy(path, f"sound-{path}")


def flip(file):
    """Flip the highest bit of the exponent of the first moving variance."""
    number = model.get_layer("bn").moving_variance.numpy().tobytes()
    flipped = bytearray(number)
    flipped[3] ^= 0b01000000
    data = Path(file).read_bytes()
    Path(file).write_bytes(data.replace(number, flipped))


# --8<-- [end:setup]


# --8<-- [start:see]
def load(file):
    net = keras.models.clone_model(model)
    net.load_weights(file)
    return net


for file in ["model.weights.h5", "model.h5"]:
    for damaged in [False, True]:
        if damaged:
            flip(file)
        net = load(file)
        off = np.max(np.abs(net(x, training=False) - predictions)) > 0.1
        tiny = net.get_layer("bn").moving_variance.numpy() < 1e-30
        print(f"{file:16} flipped: {damaged!s:5} off by 0.1: {off!s:5}", tiny)
# --8<-- [end:see]

# --8<-- [start:fix]
for damaged in [False, True]:
    if damaged:
        flip("model.keras")
    try:
        keras.saving.load_model("model.keras")
        print("loads")
    except zipfile.BadZipFile as error:
        print("BadZipFile:", error)
# --8<-- [end:fix]

# --8<-- [start:sure]
import hashlib


def checksum(file):
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


for file in ["model.weights.h5", "model.h5", "model.keras"]:
    right = checksum(f"sound-{file}")
    shutil.copy(f"sound-{file}", f"copied-{file}")
    print(f"{file:16} damaged: {checksum(file) != right},", end=" ")
    print("after copying:", checksum(f"copied-{file}") != right)
# --8<-- [end:sure]
