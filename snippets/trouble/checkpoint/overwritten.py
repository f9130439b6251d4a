# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf


def build():
    net = keras.Sequential(
        [keras.Input(shape=(4,)), keras.layers.BatchNormalization(name="bn")]
    )
    return net, tf.train.Checkpoint(model=net, arrays=net.variables)


def value_in(path):
    net, checkpoint = build()
    checkpoint.restore(path).assert_consumed()
    return float(net.get_layer("bn").moving_mean[0])


model, checkpoint = build()
# --8<-- [end:setup]

# --8<-- [start:see]
model.get_layer("bn").moving_mean.assign(np.full(4, 1.0))
first = checkpoint.save("checkpoints/net")
print(first, "holds", value_in(first))

model, checkpoint = build()  # after a restart
model.get_layer("bn").moving_mean.assign(np.full(4, 2.0))
second = checkpoint.save("checkpoints/net")
print(second, "holds", value_in(second))
# --8<-- [end:see]

# --8<-- [start:fix]
model, checkpoint = build()
checkpoint.restore(tf.train.latest_checkpoint("checkpoints"))
model.get_layer("bn").moving_mean.assign(np.full(4, 3.0))
third = checkpoint.save("checkpoints/net")
# --8<-- [end:fix]

# --8<-- [start:sure]
for path in [second, third]:
    print(path, "holds", value_in(path))
# --8<-- [end:sure]
