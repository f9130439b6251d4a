# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf
from bn_tools import estimate_again
from sklearn.datasets import load_digits

images, labels = load_digits(return_X_y=True)
images = (images / 16).astype("float32")


def build(norm):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input(shape=(64,))])
    for _ in range(3):
        model.add(keras.layers.Dense(64))
        if norm:
            model.add(norm())
        model.add(keras.layers.ReLU())
    model.add(keras.layers.Dense(10, activation="softmax"))
    model.compile(
        optimizer=keras.optimizers.SGD(0.03),
        loss="sparse_categorical_crossentropy",
    )
    return model


def train(model, batch_size):
    rows = tf.data.Dataset.from_tensor_slices((images[:1000], labels[:1000]))
    batches = rows.shuffle(1000, seed=0).repeat().batch(batch_size)
    model.fit(batches, steps_per_epoch=500, shuffle=False, verbose=0)


def good(model):
    answers = np.argmax(model(images[1000:], training=False), axis=1)
    return np.mean(answers == labels[1000:]) > 0.7


# --8<-- [end:setup]


# --8<-- [start:see]
model = build(keras.layers.BatchNormalization)
start = model.get_weights()


def row(batch_size):
    model.set_weights(start)
    train(model, batch_size)
    before = good(model)
    estimate_again(model, [images[:1000]])
    dense, bn = model.layers[:2]
    true_mean = np.mean(dense(images[:1000]), axis=0)
    exact = np.allclose(bn.moving_mean, true_mean, atol=1e-4)
    print(f"{batch_size:2} rows  {before!s:9}  {good(model)!s:9}  {exact}")


print("batches  above 0.7  estimated  exact")
row(2)
# --8<-- [end:see]

# --8<-- [start:fix]
row(64)
# --8<-- [end:fix]


# --8<-- [start:sure]
def groups_of_8():
    return keras.layers.GroupNormalization(groups=8)


for case, norm in {
    "GroupNormalization": groups_of_8,
    "no normalization": None,
}.items():
    other = build(norm)
    train(other, 2)
    print(f"2 rows, {case:18}  above 0.7: {good(other)}")
# --8<-- [end:sure]
