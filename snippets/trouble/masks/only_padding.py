# --8<-- [start:see]
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(32, 10, 2)).astype("float32")
rows = np.concatenate([x, np.zeros_like(x)])  # the second half is padding
batches = tf.data.Dataset.from_tensor_slices(rows).batch(32)


def train_on(batches):
    layer = keras.layers.BatchNormalization(momentum=0.5)
    for batch in batches:
        layer(keras.layers.Masking()(batch), training=True)
    return np.array([layer.moving_mean, layer.moving_variance])


print("with / without the empty batch:")
mean, variance = train_on(batches) / train_on(batches.take(1))
print("moving_mean:    ", mean)
print("moving_variance:", variance)
# --8<-- [end:see]

# --8<-- [start:fix]
kept = batches.filter(lambda batch: tf.reduce_any(batch != 0))
print("batches:", len(list(batches)), "kept:", len(list(kept)))
# --8<-- [end:fix]

# --8<-- [start:sure]
mean, variance = train_on(kept) / train_on(batches.take(1))
print("moving_mean:    ", mean)
print("moving_variance:", variance)
# --8<-- [end:sure]
