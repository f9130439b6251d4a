# --8<-- [start:setup]
import os
import shutil
from pathlib import Path

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


def save(model, folder):
    Path(folder).mkdir()
    model.save_weights(f"{folder}/s.weights.json", max_shard_size=40 / 1024**2)


x = np.random.normal(5, 3, size=(64, 8)).astype("float32")
first, later = build_model(), build_model()
first(x, training=True)
for weight, old in zip(later.weights, first.weights):
    weight.assign(old + 1)  # as if it had been trained on
save(first, "first")
save(later, "later")
# --8<-- [end:setup]


# --8<-- [start:see]
def sources(folder):
    loaded = build_model()
    loaded.load_weights(f"{folder}/s.weights.json")
    for array in ["gamma", "beta", "moving_mean", "moving_variance"]:
        for name, net in {"first": first, "later": later}.items():
            arrays = [getattr(m.get_layer("bn"), array) for m in [loaded, net]]
            if np.array_equal(*arrays):
                print(f"{folder:7} {array:15} from {name}")


shutil.copytree("first", "mixed")
shutil.copy("later/s_00001.weights.h5", "mixed")
sources("mixed")
# --8<-- [end:see]

# --8<-- [start:fix]
save(later, "new")
os.replace("new", "current")  # under its name when all of it is written
# --8<-- [end:fix]

# --8<-- [start:sure]
sources("current")
# --8<-- [end:sure]
