# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

x = np.random.default_rng(0).normal(5, 3, size=(80, 4)).astype("float32")
seen = []


class Spy(keras.Sequential):
    def train_step(self, data):
        seen.append(data[0].numpy().tolist())
        return super().train_step(data)


spy = Spy([keras.Input(shape=(4,)), keras.layers.BatchNormalization()])
spy.compile(optimizer="sgd", loss="mse", run_eagerly=True)


def orders(make, seed=0, **settings):
    """Return the rows of each epoch, as ``fit`` gets them."""
    seen.clear()
    keras.utils.set_random_seed(seed)
    spy.fit(*make(), verbose=0, **settings)
    return list(seen)


# --8<-- [end:setup]


# --8<-- [start:see]
def arrays():
    return x, x, 80  # one batch per epoch


first, second = orders(arrays, epochs=2)
print("shuffled:", first != x.tolist())
print("second epoch in the order of the first:", second == first)
again = orders(arrays, epochs=2, initial_epoch=1)
print("restarted with the same seed, as the second:", again == [second])
again = orders(arrays, epochs=2, initial_epoch=1, seed=1)
print("restarted with another seed, as the second: ", again == [second])
# --8<-- [end:see]


# --8<-- [start:pipeline]
def pipeline():
    rows = tf.data.Dataset.from_tensor_slices((x, x))
    return [rows.shuffle(80, seed=0).batch(80)]


first, second = orders(pipeline, epochs=2)
print("second epoch in the order of the first:", second == first)
again = orders(pipeline, epochs=2, initial_epoch=1)
print("restarted, as the first: ", again == [first])
print("restarted, as the second:", again == [second])
# --8<-- [end:pipeline]


# --8<-- [start:fix]
def from_epoch(start, rows):
    """Repeat a pipeline of batches, and skip the epochs that are over."""
    return rows.repeat().skip(start * len(rows))


# --8<-- [end:fix]

# --8<-- [start:sure]
settings = {"epochs": 2, "steps_per_epoch": 1}
first, second = orders(lambda: [from_epoch(0, *pipeline())], **settings)
print("second epoch in the order of the first:", second == first)
again = orders(
    lambda: [from_epoch(1, *pipeline())], initial_epoch=1, **settings
)
print("restarted, as the first: ", again == [first])
print("restarted, as the second:", again == [second])
# --8<-- [end:sure]
