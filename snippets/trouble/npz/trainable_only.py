# --8<-- [start:setup]
import keras
import numpy as np

x = np.random.normal([0, 5, 9], [1, 2, 3], size=(1000, 3))
y = np.argmax((x - [0, 5, 9]) / [1, 2, 3], axis=1)


def build():
    return keras.Sequential(
        [
            keras.Input(shape=(3,)),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.Dense(3, kernel_initializer="identity"),
        ]
    )


model = build()
model.layers[0].beta.assign([0.01, 0, 0])
for _ in range(100):
    model(x, training=True)


def report(net):
    same = sum(map(np.array_equal, net.get_weights(), model.get_weights()))
    right = np.mean(np.argmax(net(x, training=False), axis=1) == y)
    print(f"{same} of 6 arrays equal, accuracy at least 0.9: {right >= 0.9}")


# --8<-- [end:setup]


# --8<-- [start:see]
np.savez("some.npz", *[w.numpy() for w in model.trainable_weights])
lossy = build()
with np.load("some.npz") as saved:
    for i, weight in enumerate(lossy.trainable_weights):
        weight.assign(saved[f"arr_{i}"])
report(lossy)
# --8<-- [end:see]

# --8<-- [start:fix]
np.savez("all.npz", *model.get_weights())
loaded = build()
with np.load("all.npz") as saved:
    loaded.set_weights([saved[f"arr_{i}"] for i in range(len(saved))])
report(loaded)
# --8<-- [end:fix]

# --8<-- [start:repair]
from bn_tools import estimate_again

print(len(estimate_again(lossy, [x])), "layer estimated again")
report(lossy)
# --8<-- [end:repair]

# --8<-- [start:sure]
for file in ["some.npz", "all.npz"]:
    with np.load(file) as saved:
        print(f"{file:8}  {len(saved)} of {len(model.weights)} arrays")
# --8<-- [end:sure]
