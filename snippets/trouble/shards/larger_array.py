# --8<-- [start:setup]
import keras
import numpy as np


def build_model():
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.Dense(1000, name="dense"),
            keras.layers.BatchNormalization(name="bn"),
        ]
    )


KIB = 1 / 1024**2  # max_shard_size counts in units of 1024**3 bytes
x = np.random.normal(5, 3, size=(64, 8)).astype("float32")
model = build_model()
model(x, training=True)
# --8<-- [end:setup]


# --8<-- [start:see]
def equal_after_loading(path):
    loaded = build_model()
    loaded.load_weights(path)
    return sum(map(np.array_equal, model.weights, loaded.weights))


model.save_weights("s.weights.json", max_shard_size=40 * KIB)
print("arrays equal:", equal_after_loading("s.weights.json"), "of 6")

try:
    model.save_weights("s.weights.json", max_shard_size=20 * KIB)
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:see]

# --8<-- [start:damage]
try:
    equal_after_loading("s.weights.json")
except ValueError as error:
    print("ValueError:", str(error).splitlines()[2])
# --8<-- [end:damage]

# --8<-- [start:fix]
from pathlib import Path

largest = max(variable.numpy().nbytes for variable in model.weights)
print(f"the largest array has {largest / 1024:.2f} KiB")

Path("fresh").mkdir()
model.save_weights("fresh/s.weights.json", max_shard_size=largest / 1024**3)
# --8<-- [end:fix]

# --8<-- [start:sure]
print("shards:", len(list(Path("fresh").glob("*.h5"))))
print("arrays equal:", equal_after_loading("fresh/s.weights.json"), "of 6")
# --8<-- [end:sure]
