# --8<-- [start:setup]
import hashlib
from pathlib import Path

import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 4)).astype("float32")


def build():
    return keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.BatchNormalization(momentum=0.5, name="bn"),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )


model = build()
for _ in range(20):
    model(x, training=True)
predictions = model(x, training=False)


def checksum(file):
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def flip(file):
    number = model.get_layer("bn").moving_variance.numpy().tobytes()
    flipped = bytearray(number)
    flipped[3] ^= 0b01000000
    data = Path(file).read_bytes()
    Path(file).write_bytes(data.replace(number, flipped))


def equal(file):
    net = build()
    net.load_weights(file)
    return np.array_equal(net(x, training=False), predictions)


# --8<-- [end:setup]

# --8<-- [start:see]
for damaged in [False, True]:
    model.save_weights("model.weights.h5")
    if damaged:
        flip("model.weights.h5")
    taken = checksum("model.weights.h5")
    agrees = checksum("model.weights.h5") == taken
    print(f"damaged: {damaged!s:6} checksum agrees: {agrees},", end=" ")
    print("predictions equal:", equal("model.weights.h5"))
# --8<-- [end:see]

# --8<-- [start:fix]
model.save_weights("model.weights.h5")
taken = checksum("model.weights.h5")
assert equal("model.weights.h5"), "the file was damaged before its checksum"
print("checksum and predictions agree")
# --8<-- [end:fix]

# --8<-- [start:sure]
flip("model.weights.h5")
print("checksum agrees:", checksum("model.weights.h5") == taken)
# --8<-- [end:sure]
