# --8<-- [start:order]
import keras
import numpy as np

x = np.random.normal(5, 3, size=(200, 3)).astype("float32")
layer = keras.layers.BatchNormalization()
layer(x, training=True)

names = ["gamma", "beta", "moving_mean", "moving_variance"]
for name, array in zip(names, layer.get_weights(), strict=True):
    np.testing.assert_array_equal(array, getattr(layer, name))
print([array.name for array in layer.weights])
# --8<-- [end:order]


# --8<-- [start:left_out]
def names(**options):
    other = keras.layers.BatchNormalization(**options)
    other.build((None, 3))
    return [array.name for array in other.weights]


print("center=False:", *names(center=False))
print("scale=False: ", *names(scale=False))
print("both False:  ", *names(center=False, scale=False))
assert names(renorm=True)[:4] == names(renorm=False)
print("renorm=True:  the four, then", *names(renorm=True)[4:])
# --8<-- [end:left_out]

# --8<-- [start:dtypes]
import tensorflow as tf

column = np.array([[2], [8]], dtype="float32")


@tf.function  # much faster for many steps
def train(layer, steps):
    def step(number):
        layer(column, training=True)
        return [number + 1]

    tf.while_loop(lambda number: number < steps, step, [0])


print("true mean", column.mean(), "true variance", column.var())

for policy in [
    "float32",
    "mixed_float16",
    "mixed_bfloat16",
    "float16",
    "bfloat16",
]:
    typed = keras.layers.BatchNormalization(dtype=policy)
    outputs = typed(column, training=True)
    train(typed, tf.constant(1499))
    arrays = {array.dtype for array in typed.weights}
    mean, variance = (
        float(keras.ops.cast(array[0], "float32"))
        for array in [typed.moving_mean, typed.moving_variance]
    )
    print(
        f"{policy:14} outputs {outputs.dtype.name:8} arrays {arrays} reached:",
        np.isclose(mean, column.mean(), rtol=0.01),
        np.isclose(variance, column.var(), rtol=0.01),
    )
# --8<-- [end:dtypes]


# --8<-- [start:lists]
def print_lists(net):
    for name in ["trainable_weights", "non_trainable_weights", "weights"]:
        print(f"{name:22}", *[array.name for array in getattr(net, name)])


model = keras.Sequential(
    [
        keras.Input(shape=(3,)),
        keras.layers.Dense(2, use_bias=False),
        keras.layers.BatchNormalization(),
    ]
)
print_lists(model)
# --8<-- [end:lists]

# --8<-- [start:frozen]
model.layers[1].trainable = False
print_lists(model)
# --8<-- [end:frozen]

# --8<-- [start:frozen_call]
bn = model.layers[1]
inputs = x[:, :2]
for trainable in [False, True]:
    bn.trainable = trainable
    before = bn.get_weights()
    by_moving = bn(inputs, training=False)
    same = np.array_equal(bn(inputs, training=True), by_moving)
    kept = all(map(np.array_equal, before, bn.get_weights()))
    print(f"trainable={trainable}: same outputs {same}, arrays kept {kept}")
# --8<-- [end:frozen_call]
