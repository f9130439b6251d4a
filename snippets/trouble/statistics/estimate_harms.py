# --8<-- [start:setup]
import keras
import numpy as np
from bn_tools import batch_norms, estimate_again

noise = np.random.default_rng(0).normal(size=(2000, 5))
x = (10 + 3 * noise).astype("float32")
y = np.argmax(noise, axis=1)


class WithoutTraining(keras.Model):
    def __init__(self):
        super().__init__()
        self.net = keras.Sequential(
            [
                keras.layers.BatchNormalization(),
                keras.layers.Dense(32, activation="relu"),
                keras.layers.BatchNormalization(),
                keras.layers.Dense(5, activation="softmax"),
            ]
        )

    def call(self, x):
        return self.net(x)


class WithTraining(WithoutTraining):
    def call(self, x, training=False):
        return self.net(x, training=training)


def fitted(kind):
    keras.utils.set_random_seed(0)
    model = kind()
    sgd, loss = keras.optimizers.SGD(0.01), "sparse_categorical_crossentropy"
    model.compile(optimizer=sgd, loss=loss)
    model.fit(x, y, 100, epochs=8, verbose=0)
    return model


def accuracy(model):
    return np.mean(np.argmax(model(x, training=False), axis=1) == y)


# --8<-- [end:setup]

# --8<-- [start:see]
model = fitted(WithoutTraining)
try:
    estimate_again(model, [x])
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:see]

# --8<-- [start:named]
kept = model.get_weights()
before = accuracy(model)
estimate_again(model, [x], layers=batch_norms(model))
print("above 0.7, before:", before > 0.7, " after:", accuracy(model) > 0.7)
# --8<-- [end:named]

# --8<-- [start:fix]
if accuracy(model) < before:
    model.set_weights(kept)
print("above 0.7:", accuracy(model) > 0.7)
# --8<-- [end:fix]

# --8<-- [start:sure]
sound = fitted(WithTraining)
before = accuracy(sound)
print("layers estimated:", len(estimate_again(sound, [x])))
print("above 0.7, before:", before > 0.7, " after:", accuracy(sound) > 0.7)
# --8<-- [end:sure]
