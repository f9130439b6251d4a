# --8<-- [start:setup]
import hashlib
import shutil
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

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


def checksum(file):
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def flip(file):
    """Flip the highest bit of the exponent of epsilon."""
    number = np.float32(model.get_layer("bn").epsilon).tobytes()
    flipped = bytearray(number)
    flipped[3] ^= 0b01000000
    data = Path(file).read_bytes()
    Path(file).write_bytes(data.replace(number, flipped))


# --8<-- [end:setup]

# --8<-- [start:see]
model.export("exported", verbose=False)
right = checksum("exported/saved_model.pb")
shutil.copytree("exported", "copied")


def off(folder):
    loaded = tf.saved_model.load(folder)
    return not np.max(np.abs(loaded.serve(x) - predictions)) <= 0.1  # or NaN


print("as exported, off by more than 0.1:", off("exported"))
flip("exported/saved_model.pb")
print("one bit later, off by more than 0.1:", off("exported"))
# --8<-- [end:see]

# --8<-- [start:fix]
for folder in ["exported", "copied"]:
    sound = checksum(f"{folder}/saved_model.pb") == right
    print(f"{folder}: sound: {sound}, off: {off(folder)}")
# --8<-- [end:fix]

# --8<-- [start:sure]
variables = Path("copied/variables/variables.data-00000-of-00001")
number = model.get_layer("bn").moving_variance.numpy().tobytes()
data = variables.read_bytes()
for damage in [number, bytes(len(number))]:
    variables.write_bytes(data.replace(number, damage))
    try:
        print("off:", off("copied"))
    except tf.errors.DataLossError as error:
        print("DataLossError:", "Checksum does not match" in str(error))
# --8<-- [end:sure]

# --8<-- [start:fingerprint]
variables.write_bytes(data)
fingerprint = Path("copied/fingerprint.pb")
served = tf.saved_model.load("copied")
fingerprint.unlink()
without = tf.saved_model.load("copied")
equal = np.array_equal(served.serve(x), without.serve(x))
print(f"fingerprint.pb there: {fingerprint.exists()}, equal: {equal}")
# --8<-- [end:fingerprint]
