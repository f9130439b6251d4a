# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(128, 8)).astype("float32")


def show(case, outputs, variance):
    nan = np.isnan(outputs).any()
    zero = not np.any(outputs)
    kinds = {
        "infinite": np.isinf(variance).any(),
        "NaN": np.isnan(variance).any(),
        "negative": np.any(variance < 0),
        "0": np.any(variance == 0),
        "large": np.any(variance > 65504),
    }
    kind = next((name for name, there in kinds.items() if there), "sound")
    print(f"{case:28}  {kind:8}  {'NaN' if nan else '0' if zero else 'sound'}")


def new(dtype=None):
    return keras.layers.BatchNormalization(momentum=0.0, dtype=dtype)


# --8<-- [end:setup]


# --8<-- [start:see]
@tf.function(jit_compile=True)
def fused(images):
    one, zero = tf.ones(64), tf.zeros(64)
    outputs, _, variance = tf.compat.v1.nn.fused_batch_norm(images, one, zero)
    return outputs, variance


print("case                          variance  outputs")
layer = keras.layers.BatchNormalization(momentum=0.0, name="bn")
layer(x, training=True)
gamma, beta, mean, variance = layer.get_weights()
layer.set_weights([gamma, beta, variance, -mean])
show("mean and variance swapped", layer(x), layer.moving_variance)

half = new("float16")
half(100 * x, training=True)
show("large values, float16", half(100 * x), half.moving_variance)

images = np.random.normal(
    np.random.uniform(1e3, 1e5, size=64), 1, size=(8, 4, 4, 64)
).astype("float32")
show("fused operation under XLA", *fused(images))

one_row = new()
one_row(x[:1], training=True)
show("batch of 1 row", one_row(x), one_row.moving_variance)
# --8<-- [end:see]


# --8<-- [start:fix]
@tf.function(jit_compile=True)
def layered(images):
    return plain(images, training=True), plain.moving_variance


layer.set_weights([gamma, beta, mean, variance])
show("in their order", layer(x), layer.moving_variance)

mixed = new("mixed_float16")
mixed(100 * x, training=True)
show("large values, mixed_float16", mixed(100 * x), mixed.moving_variance)

plain = new()
plain.build(images.shape)
show("Keras layer under XLA", *layered(images))
# --8<-- [end:fix]

# --8<-- [start:sure]
from bn_tools import broken

print("in their order:", broken(layer))
layer.set_weights([gamma, beta, variance, -mean])
print("swapped:", *broken(layer))
# --8<-- [end:sure]

# --8<-- [start:dead]
dead = keras.layers.BatchNormalization()
dead.build((None, 8))
dead.moving_variance.assign(np.full(8, 5.6e-45))
before = dead(x, training=False)
dead.moving_variance.assign(np.float16(dead.moving_variance))
print("variance 0:", not np.any(dead.moving_variance))
print("broken:", broken(dead))
print("outputs as before:", np.array_equal(dead(x, training=False), before))
# --8<-- [end:dead]
