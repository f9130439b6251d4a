# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

x = np.random.default_rng(0).normal(5, 3, size=(256, 8)).astype("float32")


class Block(keras.layers.Layer):
    def __init__(self, again=None, momentum=0.9):
        super().__init__()
        self.dense = keras.layers.Dense(16, name="dense")
        self.bn = keras.layers.BatchNormalization(momentum=momentum, name="bn")
        self.again = again  # what makes a function compute again

    def build(self, shape):
        self.dense.build(shape)
        self.bn.build((None, 16))

    def call(self, inputs, training=False):
        def compute(inputs):
            return self.bn(self.dense(inputs), training=training)

        return (self.again(compute) if self.again else compute)(inputs)


def trained(**options):
    """Return the layer after one step of fit, and the means of its inputs."""
    keras.utils.set_random_seed(0)
    block = Block(**options)
    model = keras.Sequential(
        [keras.Input(shape=(8,)), block, keras.layers.Dense(1)]
    )
    model.compile(keras.optimizers.SGD(0.0), "mse")  # nothing else moves
    model.fit(x, x[:, :1], batch_size=256, verbose=0)
    return block.bn, block.dense(x).numpy().mean(axis=0)


# --8<-- [end:setup]


# --8<-- [start:see]
def times(bn, mean):
    """Return how often the moving mean went from 0 towards a mean."""
    left = np.median(1 - bn.moving_mean / mean)
    return round(float(np.log(left) / np.log(0.9)), 2)


layers = {}
for again in [None, tf.recompute_grad, keras.remat]:
    name = getattr(again, "__name__", "neither")
    layers[name], mean = trained(again=again)
    print(f"{name:14} moved {times(layers[name], mean)} times in a step")
# --8<-- [end:see]

# --8<-- [start:fix]
root, _ = trained(again=keras.remat, momentum=0.9**0.5)
for layer in [layers["remat"], root]:
    pairs = zip(layers["neither"].variables, layer.variables)
    same = all(np.allclose(a, b, atol=1e-5) for a, b in pairs)
    print(f"momentum {layer.momentum:.4f}: as without remat: {same}")
# --8<-- [end:fix]


# --8<-- [start:sure]
def calls_in(layer, step, *arguments):
    """Return how often a layer is called in a step that runs eagerly."""
    count, call = [], layer.call

    def counting(*inputs, **options):
        count.append(1)
        return call(*inputs, **options)

    layer.call = counting
    try:
        step(*arguments)
    finally:
        del layer.call
    return len(count)


for again in [None, keras.remat]:
    block = Block(again=again)
    model = keras.Sequential([keras.Input(shape=(8,)), block])
    model.compile("sgd", "mse", run_eagerly=True)
    count = calls_in(block.bn, model.train_on_batch, x, x[:, :1])
    print("remat  " if again else "neither", "calls:", count)
# --8<-- [end:sure]
