# --8<-- [start:table]
import math

import keras
import numpy as np


def batch_statistics(shape):
    # 10,000 channels are as many experiments at once.
    x = np.random.default_rng(0).normal(5, 3, size=(*shape, 10_000))
    layer = keras.layers.BatchNormalization(momentum=0.0)
    layer(x.astype("float32"), training=True)
    variance = np.mean(layer.moving_variance) / 3**2
    return variance, np.std(layer.moving_mean) / 3


print("shape        N  variance  (N - 1)/N  spread of the mean")
for shape in [(1,), (2,), (5,), (10,), (100,), (2, 5, 5)]:
    n = math.prod(shape)
    variance, spread = batch_statistics(shape)
    print(f"{shape!s:9}  {n:3}  {variance:8.2f}", end="")
    print(f"  {(n - 1) / n:9.2f}  {spread:18.2f}")
# --8<-- [end:table]

# --8<-- [start:plot]
import matplotlib.pyplot as plt
import tensorflow as tf

random = np.random.default_rng(0)
for rows, place in {1: 0.04, 2: 0.52, 5: 0.83, 100: 1.03}.items():
    layer = keras.layers.BatchNormalization(momentum=0.99)
    call = tf.function(layer)  # much faster for many steps
    shares = []
    for _ in range(500):
        x = random.normal(5, 3, size=(rows, 1)).astype("float32")
        call(x, training=True)
        shares.append(layer.moving_variance.numpy()[0] / 3**2)
    (line,) = plt.plot(range(0, 500, 5), shares[::5])
    label = f"{rows} row" if rows == 1 else f"{rows} rows"
    plt.annotate(label, (510, place), color=line.get_color())
plt.xlim(0, 600)
plt.xticks([0, 100, 200, 300, 400, 500])
plt.xlabel("steps")
plt.ylabel("moving variance / true variance")
plt.savefig("variance.svg")
# --8<-- [end:plot]

# --8<-- [start:images]
from sklearn.datasets import load_digits

images, labels = load_digits(return_X_y=True)
images = (images / 16).reshape(-1, 8, 8, 1).astype("float32")
random = np.random.default_rng(0)
brightness = random.normal(0, 0.5, size=(len(images), 1, 1, 1))
photos = (images + brightness).astype("float32")
layer = keras.layers.BatchNormalization(momentum=0.0)
call = tf.function(layer)


def found(images, n):
    shares = []
    for start in range(0, 100 * n, n):
        call(images[start : start + n], training=True)
        shares.append(layer.moving_variance.numpy()[0] / images.var())
    return np.mean(shares)


print("images in a batch  one brightness  several")
for n in [1, 2, 4, 16]:
    print(f"{n:17}  {found(images, n):14.2f}  {found(photos, n):7.2f}")
# --8<-- [end:images]
