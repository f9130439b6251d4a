# --8<-- [start:setup]
import os

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np

x = np.random.default_rng(0).normal(5, 3, (64, 4)).astype("float32")
y = x[:, :1]


def build(kind):
    norm = keras.layers.BatchNormalization(name="bn")
    inputs = keras.Input(shape=(4,))
    net = kind(inputs, keras.layers.Dense(1)(norm(inputs)))
    net.compile("sgd", "mean_squared_error")
    return net, norm.moving_mean.numpy()


def moved(net, before):
    net.fit(x, y, verbose=0)
    return not np.array_equal(net.get_layer("bn").moving_mean, before)


# --8<-- [end:setup]


# --8<-- [start:see]
class Drops(keras.Model):
    def train_step(self, state, data):
        logs, new = super().train_step(state, data)
        return logs, (new[0], state[1], new[2], new[3])


print("statistics moved:", moved(*build(Drops)))
# --8<-- [end:see]


# --8<-- [start:see_short]
class Shortens(keras.Model):
    def train_step(self, state, data):
        logs, new = super().train_step(state, data)
        return logs, (new[0], new[2], new[3])


inputs = keras.Input(shape=(4,))
outputs = keras.layers.BatchNormalization()(inputs)
net = Shortens(inputs, keras.layers.Dense(1)(outputs))
net.compile("sgd", "mean_squared_error")
for action in [
    lambda: net.fit(x, y, verbose=0),
    lambda: net.save("short.keras"),
]:
    try:
        action()
    except (TypeError, ValueError) as error:
        print(f"{type(error).__name__}: {error}")
# --8<-- [end:see_short]


# --8<-- [start:fix]
class Returns(keras.Model):
    def train_step(self, state, data):
        logs, new = super().train_step(state, data)
        trainable, non_trainable, optimizer, metrics = new
        return logs, (trainable, non_trainable, optimizer, metrics)


# --8<-- [end:fix]

# --8<-- [start:sure]
net, before = build(Returns)
print("statistics moved:", moved(net, before))
net.save("net.keras")
print("saved")
# --8<-- [end:sure]
