# --8<-- [start:setup]
import h5py
import keras
import numpy as np
from keras import layers

from bn_tools import compare, write_record

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 4)).astype("float32")


def build(first=True):
    bn1 = layers.BatchNormalization(momentum=0.5, name="bn1")
    return keras.Sequential(
        [
            keras.Input(shape=(4,)),
            *([bn1] if first else []),
            layers.Dense(4, activation="relu", name="dense"),
            layers.BatchNormalization(momentum=0.5, name="bn2"),
            layers.Dense(3, name="out"),
        ]
    )


model = build()
for _ in range(20):
    model(x, training=True)
predictions = model(x, training=False)
write_record("record.npz", model, x[:32])
model.save_weights("model.weights.h5")
# --8<-- [end:setup]

# --8<-- [start:see]
for first in [True, False]:
    net = build(first)
    net.load_weights("model.weights.h5")
    off = np.max(np.abs(net(x, training=False) - predictions)) > 0.1
    for name in ["bn1", "bn2"]:
        in_file = model.get_layer(name).moving_mean
        if np.array_equal(net.get_layer("bn2").moving_mean, in_file):
            print(f"bn2 in code holds {name} of the file, off by 0.1: {off}")
# --8<-- [end:see]

# --8<-- [start:groups]
with h5py.File("model.weights.h5") as file:
    for name in file["layers"]:
        print(name, list(file["layers"][name]["vars"]))
# --8<-- [end:groups]

# --8<-- [start:fix]
for first in [False, True]:
    rebuilt = build(first)
    rebuilt.load_weights("model.weights.h5")
    print(f"bn1 in code: {first}", compare("record.npz", rebuilt))
# --8<-- [end:fix]

# --8<-- [start:sure]
for first in [True, False]:
    with h5py.File("model.weights.h5") as file:
        in_file = sum(len(group["vars"]) for group in file["layers"].values())
    in_code = len(build(first).weights)
    print(f"in the file: {in_file} arrays, in code: {in_code}")
# --8<-- [end:sure]
