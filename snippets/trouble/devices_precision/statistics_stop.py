# --8<-- [start:see]
import keras
import tensorflow as tf

pair = tf.constant([[17.0], [23.0]])  # mean 20, variance 9


def train(policy):
    layer = keras.layers.BatchNormalization(dtype=policy)
    layer.build(pair.shape)
    step = tf.function(layer)
    for _ in range(500):
        step(pair, training=True)
    mean = layer.moving_mean.numpy().item()
    below, _ = layer(pair, training=False).numpy().ravel()
    print(f"{policy:14} moving_mean {mean:.1f}  17 is below it: {below < 0}")


train("float16")
train("bfloat16")
# --8<-- [end:see]

# --8<-- [start:fix]
train("mixed_float16")
train("mixed_bfloat16")
# --8<-- [end:fix]

# --8<-- [start:sure]
keras.config.set_dtype_policy("bfloat16")
model = keras.Sequential(
    [
        keras.Input(shape=(1,)),
        keras.layers.Dense(1),
        keras.layers.BatchNormalization(name="by_policy"),
        keras.layers.BatchNormalization(name="kept", dtype="float32"),
    ]
)
for array in model.variables:
    half = array.dtype in ["float16", "bfloat16"]
    if array.name.startswith("moving_") and half:
        print("/".join(array.path.split("/")[-2:]), array.dtype)
# --8<-- [end:sure]
