# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

layers = keras.layers
wide = keras.initializers.RandomNormal(stddev=1.0)


def norm():
    return layers.BatchNormalization(momentum=0.0)  # keeps the last batch's


def build(dead):
    """A depthwise block, whose first channel is cut off by ReLU if ``dead``."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((16, 16, 3), name="image"),
            *[layers.Conv2D(16, 3, use_bias=False), norm(), layers.ReLU()],
            layers.DepthwiseConv2D(
                3, use_bias=False, depthwise_initializer=wide
            ),
            *[norm(), layers.ReLU()],
            *[layers.Conv2D(16, 3, use_bias=False), norm(), layers.ReLU()],
            *[layers.GlobalAveragePooling2D(), layers.Dense(10)],
        ]
    )
    if dead:
        beta = model.layers[1].beta
        beta.assign(np.where(np.arange(16) == 0, -10, beta))
    model(x, training=True)
    return model


keras.utils.set_random_seed(1)
x = np.random.uniform(size=(512, 16, 16, 3)).astype("float32")
# --8<-- [end:setup]


# --8<-- [start:see]
def small_error(model, one_scale):
    """Whether int8 is off by less than 3 % of the outputs' deviation."""
    model.export(
        "int8.tflite",
        format="litert",
        verbose=False,
        optimizations=[tf.lite.Optimize.DEFAULT],
        representative_dataset=lambda: ([row[None]] for row in x[:200]),
        target_spec={"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]},
        _experimental_disable_per_channel=one_scale,
    )
    run = Interpreter("int8.tflite").get_signature_runner()
    expected = model(x, training=False).numpy()
    error = np.abs(run(image=x)["output_0"] - expected).mean()
    return error < 0.03 * expected.std()


print("error small:      per channel  per tensor")
for dead in [False, True]:
    model = build(dead)
    found = [small_error(model, one_scale) for one_scale in [False, True]]
    print(f"a dead channel: {dead!s:6} {found[0]!s:11}  {found[1]}")
# --8<-- [end:see]

# --8<-- [start:why]
bn = model.layers[4]
factor = (bn.gamma / np.sqrt(bn.moving_variance + bn.epsilon)).numpy()
print("dead channel's factor:", factor[0].round())
print("the others, at most:  ", factor[1:].max().round())
# --8<-- [end:why]

# --8<-- [start:fix]
before = model(x, training=False).numpy()
dead = bn.moving_variance.numpy() < 1e-3 * bn.epsilon
bn.gamma.assign(np.where(dead, 0, bn.gamma))
# --8<-- [end:fix]

# --8<-- [start:sure]
same = np.allclose(model(x, training=False), before, atol=1e-5)
print("channels set to 0:", dead.sum(), "float model the same:", same)
print("error small, per tensor:", small_error(model, one_scale=True))
# --8<-- [end:sure]
