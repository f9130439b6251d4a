# --8<-- [start:setup]
import keras
import numpy as np

from bn_tools import compare, write_record


def build():
    return keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.BatchNormalization(momentum=0.9, name="bn"),
            keras.layers.Dense(3, kernel_initializer="ones"),
        ]
    )


x = np.random.normal(5, 3, size=(256, 4)).astype("float32")
model = build()
bn = model.get_layer("bn")
bn.gamma.assign([1, 2, 3, 4])
bn.beta.assign([4, 3, 2, 0])
for _ in range(100):
    model(x, training=True)
# --8<-- [end:setup]


# --8<-- [start:see]
def with_swapped(i, j):
    weights = model.get_weights()
    weights[i], weights[j] = weights[j], weights[i]
    net = build()
    net.set_weights(weights)
    return net


expected = model(x, training=False)
for case, i, j in [
    ("nothing swapped", 0, 0),
    ("gamma and beta", 0, 1),
    ("moving_mean and moving_variance", 2, 3),
]:
    net = with_swapped(i, j)
    off = np.max(np.abs(net(x, training=False) - expected))
    print(f"{case:31}  predictions off by more than 1: {off > 1}")
# --8<-- [end:see]

# --8<-- [start:fix]
gamma, beta, mean, variance = model.get_layer("bn").get_weights()

filled = build()
bn = filled.get_layer("bn")
bn.gamma.assign(gamma)
bn.beta.assign(beta)
bn.moving_mean.assign(mean)
bn.moving_variance.assign(variance)
# --8<-- [end:fix]

# --8<-- [start:sure]
write_record("record.npz", model, x[:32])
nets = {"filled": filled, "swapped": with_swapped(0, 1)}
for case, net in nets.items():
    print(case, *compare("record.npz", net), sep="\n    ")
# --8<-- [end:sure]
