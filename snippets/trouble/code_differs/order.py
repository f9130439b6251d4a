# --8<-- [start:setup]
import keras
import numpy as np
from keras import layers

from bn_tools import compare, write_record

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 8)).astype("float32")


def build(order):
    known = {
        "dense": layers.Dense(8, name="dense"),
        "bn": layers.BatchNormalization(momentum=0.5, name="bn"),
        "relu": layers.ReLU(name="relu"),
        "out": layers.Dense(3, name="out"),
    }
    chosen = [known[name] for name in order.split()]
    return keras.Sequential([keras.Input(shape=(8,)), *chosen])


model = build("dense bn relu out")
for _ in range(20):
    model(x, training=True)
predictions = model(x, training=False)
write_record("record.npz", model, x[:32])
model.save_weights("model.weights.h5")
model.save("model.keras")
model.save("model.h5")
# --8<-- [end:setup]


# --8<-- [start:see]
for order in ["dense bn relu out", "bn dense relu out", "dense relu bn out"]:
    rebuilt = build(order)
    rebuilt.load_weights("model.weights.h5")
    off = np.max(np.abs(rebuilt(x, training=False) - predictions)) > 0.1
    print(f"{order}: off by more than 0.1: {off}")
# --8<-- [end:see]

# --8<-- [start:legacy]
for order in ["dense bn relu out", "bn dense relu out", "dense relu bn out"]:
    try:
        build(order).load_weights("model.h5")
        print(f"{order}: loads")
    except ValueError as error:
        print(f"{order}:\nValueError: {error}")
# --8<-- [end:legacy]

# --8<-- [start:fix]
print(*compare("record.npz", rebuilt), sep="\n")

rebuilt = build("dense bn relu out")
rebuilt.load_weights("model.weights.h5")
print("in the order of the file:", compare("record.npz", rebuilt))
# --8<-- [end:fix]

# --8<-- [start:sure]
loaded = keras.saving.load_model("model.keras")
print(*(layer.name for layer in loaded.layers))
# --8<-- [end:sure]
