# --8<-- [start:setup]
import keras
import numpy as np
from bn_tools import estimate_again

rng = np.random.default_rng(0)
mean, deviation = np.array([5, 3, 8, 0, 1]), np.array([0.5, 1, 0.2, 0.3, 0.7])


def data(shift):
    noise = rng.normal(size=(1000, 5))
    rows = mean + deviation * (noise + shift)
    return rows.astype("float32"), np.argmax(noise, axis=1)


x, y = data(0)
x_test, y_test = data([3, 0, -3, 1.5, -1.5])  # of another camera, say
model = keras.Sequential(
    [
        keras.Input(shape=(5,)),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(5, kernel_initializer="identity"),
    ]
)


def accuracy(x, y):
    return np.mean(np.argmax(model(x, training=False), axis=1) == y)


def show(case, given):
    estimate_again(model, [given])
    good = accuracy(x, y) > 0.9, accuracy(x_test, y_test) > 0.6
    print(f"{case:13}  {good[0]!s:14} {good[1]}")


# --8<-- [end:setup]

# --8<-- [start:see]
print("estimated on   training data  shifted test data")
show("x - 5", x - 5)
show("x / 5", x / 5)
show("the test data", x_test)
# --8<-- [end:see]

# --8<-- [start:fix]
show("x", x)
# --8<-- [end:fix]

# --8<-- [start:sure]
for case, given in {"x": x, "x - 5": x - 5, "x_test": x_test}.items():
    estimate_again(model, [given])
    print(f"{case:6} training rows good: {accuracy(x, y) > 0.9}")

estimate_again(model, [x_test[:500]])  # on purpose
print("other rows above 0.9:", accuracy(x_test[500:], y_test[500:]) > 0.9)
# --8<-- [end:sure]
