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


x = np.random.normal(5, 3, size=(64, 8)).astype("float32")
model = build_model()
model(x, training=True)
LIMIT = 40 / 1024**2  # 40 KiB, so that there are several shards
# --8<-- [end:setup]

# --8<-- [start:see]
try:
    model.save_weights("s.weights.json")
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:see]

# --8<-- [start:renamed]
import os
import warnings

with warnings.catch_warnings(
    record=True, action="always", category=UserWarning
) as caught:
    model.save_weights("t.weights.h5", max_shard_size=LIMIT)

for warning in caught:
    print("UserWarning:", warning.message)
for path in ["t.weights.h5", "t.weights.json"]:
    print(f"{path} exists:", os.path.exists(path))
# --8<-- [end:renamed]

# --8<-- [start:fix]
model.save_weights("shards.weights.json", max_shard_size=LIMIT)
model.save_weights("one.weights.h5")
# --8<-- [end:fix]

# --8<-- [start:sure]
for path in ["shards.weights.json", "one.weights.h5"]:
    loaded = build_model()
    loaded.load_weights(path)
    equal = sum(map(np.array_equal, model.weights, loaded.weights))
    print(f"{path:19} {equal} of 6 arrays equal")
# --8<-- [end:sure]
