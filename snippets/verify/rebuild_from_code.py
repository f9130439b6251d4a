# --8<-- [start:build]
import keras
from keras import layers


def build(epsilon=0.001, momentum=0.5, axis=-1, second=True):
    bn1 = layers.BatchNormalization(
        axis=axis, epsilon=epsilon, momentum=momentum, name="bn1"
    )
    bn2 = layers.BatchNormalization(momentum=0.5, name="bn2")
    return keras.Sequential(
        [
            keras.Input(shape=(8, 8)),
            bn1,
            layers.Conv1D(8, 3, padding="same", name="conv"),
            *([bn2] if second else []),
            layers.ReLU(name="relu"),
            layers.Flatten(name="flatten"),
            layers.Dense(3, name="dense"),
        ]
    )


# --8<-- [end:build]

# --8<-- [start:train]
import numpy as np

keras.utils.set_random_seed(0)
means = 0.1 * np.arange(8)
x = np.random.normal(means, 0.01, size=(256, 8, 8)).astype("float32")

model = build()
for _ in range(20):
    model(x, training=True)
predictions = model(x, training=False)
# --8<-- [end:train]

# --8<-- [start:save]
from bn_tools import compare, write_record

write_record("model.npz", model, x[:32])
model.save_weights("model.weights.h5")
# --8<-- [end:save]

# --8<-- [start:same]
rebuilt = build()
for load in [None, rebuilt.load_weights]:
    if load:
        load("model.weights.h5")
    equal = np.array_equal(rebuilt(x, training=False), predictions)
    print("loaded" if load else "as built", "predictions equal:", equal)
# --8<-- [end:same]

# --8<-- [start:reload]
from bn_tools import compare

rebuilt = build()
rebuilt.load_weights("model.weights.h5")
print(compare("model.npz", rebuilt) or "nothing differs")
# --8<-- [end:reload]

# --8<-- [start:safe]
for change in [
    {},
    {"epsilon": 1e-5},
    {"momentum": 0.9},
    {"axis": 1},
    {"second": False},
]:
    net = build(**change)
    net.load_weights("model.weights.h5")
    print(change, *compare("model.npz", net), sep="\n    ")
# --8<-- [end:safe]
