# --8<-- [start:setup]
import keras
import numpy as np

random = np.random.default_rng(0)
x = random.normal(5, 3, (16, 8, 8, 3)).astype("float32")


def build(layer):
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), layer, keras.layers.BatchNormalization()]
    )
    for variable in model.weights[1:]:
        variable.assign(random.uniform(0.5, 2, variable.shape))
    return model


conv = build(keras.layers.Conv2D(4, 3))
relu = build(keras.layers.Conv2D(4, 3, activation="relu"))
up = build(keras.layers.Conv2DTranspose(3, 3))
depth = build(keras.layers.DepthwiseConv2D(3))
# --8<-- [end:setup]


# --8<-- [start:see]
def by_hand(model, epsilon=1e-3, forget_bias=False, std=True, axis=-1):
    kernel, bias, gamma, beta, mean, variance = model.get_weights()
    spread = variance + epsilon
    factor = gamma / (np.sqrt(spread) if std else spread)
    shape = [1, 1, 1, 1]
    shape[axis] = len(factor)
    bias = beta - factor * mean + (0 if forget_bias else factor * bias)
    return [kernel * factor.reshape(shape), bias]


def report(what, model, arrays):
    config = model.layers[0].get_config()
    layer = type(model.layers[0]).from_config(config)
    layer.build(x.shape)
    layer.set_weights(arrays)
    wanted = model(x, training=False)
    print(f"{what:28}", np.allclose(layer(x), wanted, rtol=1e-4, atol=1e-4))


report("Conv2D", conv, by_hand(conv))
report("  epsilon of PyTorch", conv, by_hand(conv, epsilon=1e-5))
report("  its bias forgotten", conv, by_hand(conv, forget_bias=True))
report("  variance, not its root", conv, by_hand(conv, std=False))
report("  ReLU in between", relu, by_hand(relu))
report("Conv2DTranspose, last axis", up, by_hand(up))
# --8<-- [end:see]

# --8<-- [start:fix]
report("Conv2DTranspose", up, by_hand(up, axis=2))
report("DepthwiseConv2D", depth, by_hand(depth, axis=2))
# --8<-- [end:fix]

# --8<-- [start:sure]
wanted = conv(x, training=False)
others = conv.layers[0], conv.layers[1]
print(
    "far from the unnormalized:",
    not np.allclose(others[0](x), wanted, atol=0.5),
)
print("epsilon of the layer:", others[1].epsilon)
# --8<-- [end:sure]
