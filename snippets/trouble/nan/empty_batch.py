# --8<-- [start:see]
import keras
import numpy as np

x = np.random.normal(5, 3, size=(100, 4)).astype("float32")
for batch in [x, x[:1], x[:0]]:
    layer = keras.layers.BatchNormalization()
    layer(batch, training=True)
    nans = np.isnan(layer.moving_mean), np.isnan(layer.moving_variance)
    print(f"{len(batch):3} rows: all statistics NaN: {np.all(nans)}")
# --8<-- [end:see]

# --8<-- [start:fix]
from bn_tools import repair

model = keras.Sequential([keras.Input(shape=(4,)), layer])
repair(model, [x])
print("predictions are NaN:", np.isnan(model(x, training=False)).any())
# --8<-- [end:fix]

# --8<-- [start:sure]
import tensorflow as tf


def above_5(rows):
    return rows[rows[:, 0] > 5]


batches = tf.data.Dataset.from_tensor_slices(x).batch(1).map(above_5)
for case, data in {
    "filtered in batches": batches,
    "without empty ones": batches.filter(lambda rows: tf.shape(rows)[0] > 0),
    "filtered, then batched": batches.unbatch().batch(10),
}.items():
    repair(model, [x])
    for batch in data:
        layer(batch, training=True)
    nan = np.isnan(layer.moving_mean).any()
    print(f"{case:22} statistics NaN: {nan}")
# --8<-- [end:sure]
