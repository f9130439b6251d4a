# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
drift = np.random.normal(0, 1, size=(64, 10, 2)).astype("float32")
drift += 5 * np.arange(10).reshape(1, 10, 1)  # the mean grows step by step
ones = np.ones((64, 10, 2), dtype="float32")


class Cell(keras.layers.Layer):
    def __init__(self, bn):
        super().__init__()
        self.state_size = self.output_size = 2
        self.bn = bn

    def build(self, shape):
        self.bn.build(shape)

    def call(self, x, states, training=False):
        h = self.bn(x, training=training) + states[0]
        return h, [h]


# --8<-- [end:setup]


# --8<-- [start:see]
def gap(layer):
    call = tf.function(layer)  # quicker for many steps
    for _ in range(50):
        in_training_mode = call(drift, training=True)
    in_inference_mode = call(drift, training=False)
    return np.mean(np.abs(in_training_mode - in_inference_mode))


inner = keras.layers.BatchNormalization(momentum=0.8)
print("modes differ by more than 1:")
gaps = gap(keras.layers.TimeDistributed(inner))
print("  TimeDistributed   ", gaps > 1)
# --8<-- [end:see]

# --8<-- [start:updates]
for name, wrapper in {
    "BatchNormalization": lambda bn: bn,
    "TimeDistributed": keras.layers.TimeDistributed,
    "RNN": lambda bn: keras.layers.RNN(Cell(bn)),
}.items():
    inside = keras.layers.BatchNormalization(momentum=0.9)
    layer = wrapper(inside)
    layer.build(ones.shape)
    layer(ones, training=True)
    left = 1 - inside.moving_mean.numpy()[0]
    updates = np.log(left) / np.log(0.9)
    print(f"{name:18}  {left:.2f} left, {updates:.0f} updates")
# --8<-- [end:updates]

# --8<-- [start:mask]
mask = np.tile(np.arange(10) < 5, (64, 1))


def mean_of_ones(layer, inside):
    call = tf.function(layer)
    for _ in range(50):
        call(ones, training=True, mask=mask)
    return inside.moving_mean.numpy().round(1)


inner = keras.layers.BatchNormalization(momentum=0.8)
wrapped = keras.layers.TimeDistributed(inner)
print("TimeDistributed:   ", mean_of_ones(wrapped, inner))
# --8<-- [end:mask]

# --8<-- [start:fix]
layer = keras.layers.BatchNormalization(momentum=0.8)
gaps = gap(layer)
# --8<-- [end:fix]

# --8<-- [start:sure]
print("modes differ by more than 1:")
print("  BatchNormalization", gaps > 1)
layer = keras.layers.BatchNormalization(momentum=0.8)
print("BatchNormalization:", mean_of_ones(layer, layer))
# --8<-- [end:sure]
