# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(256, 8)).astype("float32")


def build():
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )


model = build()
for _ in range(100):
    model(x, training=True)


def report(file):
    net = build()
    with np.load(file) as saved:
        net.set_weights([saved[f"arr_{i}"] for i in range(len(saved))])
    same = sum(map(np.array_equal, net.get_weights(), model.get_weights()))
    off = np.max(np.abs(net(x, training=False) - model(x, training=False)))
    print(f"{same} of 6 arrays equal, predictions equal: {off == 0}", end=", ")
    print(f"within 0.01: {off < 0.01}")


# --8<-- [end:setup]


# --8<-- [start:see]
np.savez("half.npz", *[w.astype("float16") for w in model.get_weights()])
report("half.npz")
# --8<-- [end:see]

# --8<-- [start:overflow]
print("largest float16:", int(np.finfo("float16").max))

wide, net = build(), build()
for _ in range(100):
    wide(x * 100, training=True)
for dtype in ["float32", "float16"]:
    with np.errstate(over="ignore"):
        net.set_weights([w.astype(dtype) for w in wide.get_weights()])
    outputs = net(x * 100, training=False)
    print(f"{dtype}  rows differ: {np.ptp(outputs, axis=0).any()}", end="  ")
    print("NaN:", np.isnan(outputs).any())
# --8<-- [end:overflow]

# --8<-- [start:fix]
np.savez_compressed("compressed.npz", *model.get_weights())
# --8<-- [end:fix]

# --8<-- [start:sure]
report("compressed.npz")
# --8<-- [end:sure]
