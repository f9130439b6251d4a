# --8<-- [start:setup]
import keras
import numpy as np


def build():
    norms = [keras.layers.BatchNormalization() for _ in range(3)]
    return keras.Sequential([keras.Input(shape=(4,)), *norms])


x = np.random.normal(5, 3, size=(256, 4)).astype("float32")
model = build()
for i, weight in enumerate(model.weights):
    weight.assign(np.full(4, i + 1))
np.savez("weights.npz", *model.get_weights())


def report(way, net):
    same = sum(map(np.array_equal, net.get_weights(), model.get_weights()))
    print(f"{way}: {same} of {len(model.weights)} arrays equal")


# --8<-- [end:setup]


# --8<-- [start:see]
print(sorted(["arr_1", "arr_2", "arr_10"]))

with np.load("weights.npz") as saved:
    wrong = build()
    wrong.set_weights([saved[key] for key in sorted(saved.files)])
report("sorted", wrong)
# --8<-- [end:see]

# --8<-- [start:fix]
with np.load("weights.npz") as saved:
    loaded = build()
    loaded.set_weights([saved[f"arr_{i}"] for i in range(len(saved))])
report("counted", loaded)
# --8<-- [end:fix]

# --8<-- [start:sure]
expected = model(x, training=False)
for way, net in {"sorted": wrong, "counted": loaded}.items():
    same = np.array_equal(expected, net(x, training=False))
    print(f"{way}: predictions equal: {same}")
# --8<-- [end:sure]
