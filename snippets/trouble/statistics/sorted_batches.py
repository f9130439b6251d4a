# --8<-- [start:setup]
import keras
import numpy as np
from bn_tools import estimate_again

noise = np.random.default_rng(0).normal(size=(2000, 5))
level = np.repeat([5.0, -5.0, 8.0, 0.0], 500)[:, None]  # of four cameras
x = (level + noise).astype("float32")
y = (noise[:, 0] > 0).astype(int)  # above the level of the camera


def scores(shuffle):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input(shape=(5,)),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    sgd, loss = keras.optimizers.SGD(0.01), "sparse_categorical_crossentropy"
    model.compile(optimizer=sgd, loss=loss, metrics=["accuracy"])
    history = model.fit(x, y, 100, epochs=4, shuffle=shuffle, verbose=0)
    yield history.history["accuracy"][-1]
    for again in [False, True]:
        if again:
            estimate_again(model, [x])
        yield np.mean(np.argmax(model(x, training=False), axis=1) == y)


def show(case, shuffle):
    print(f"{case:11}", *(f"{score > 0.7!s:6}" for score in scores(shuffle)))


# --8<-- [end:setup]

# --8<-- [start:see]
print("above 0.7   fit    before after")
show("by camera", shuffle=False)
# --8<-- [end:see]

# --8<-- [start:fix]
show("shuffled", shuffle=True)
# --8<-- [end:fix]


# --8<-- [start:sure]
def apart(x, rows):
    """Return how far the means of batches are apart: 1 is chance."""
    batches = np.split(x, len(x) // rows)
    means = np.array([batch.mean(axis=0) for batch in batches])
    return np.max(means.std(axis=0) / x.std(axis=0)) * rows**0.5


shuffled = np.random.default_rng(1).permutation(x)
for case, rows in {"by camera": x, "shuffled": shuffled}.items():
    print(f"{case:11} above 2: {apart(rows, 100) > 2}")
# --8<-- [end:sure]
