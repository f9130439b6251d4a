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
MASK_VALUE = 0  # that of Masking; of Embedding(mask_zero=True), it is 0


def has_steps(x, *others):
    return tf.reduce_any(tf.not_equal(x, MASK_VALUE))


kept = batches.filter(has_steps)
kept = kept.apply(tf.data.experimental.assert_cardinality(len(list(kept))))
print("batches:", len(batches), "kept:", len(kept))
# --8<-- [end:fix]

# --8<-- [start:sure]
mean, variance = train_on(kept) / train_on(batches.take(1))
print("moving_mean:    ", mean)
print("moving_variance:", variance)
# --8<-- [end:sure]
