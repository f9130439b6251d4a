# --8<-- [start:module]
import numpy as np
import tensorflow as tf


class Module(tf.Module):
    def __init__(self):
        super().__init__()
        self.bn = tf.keras.layers.BatchNormalization(momentum=0.5)

    @tf.function(input_signature=[tf.TensorSpec((None, 4))])
    def infer(self, x):
        return self.bn(x, training=False)

    @tf.function(input_signature=[tf.TensorSpec((None, 4))])
    def train(self, x):
        return self.bn(x, training=True)


x = np.random.normal(5, 3, size=(64, 4)).astype("float32")
module = Module()
for _ in range(5):
    module.train(x)
print("variables:", len(module.variables))
print("trainable:", len(module.trainable_variables))
# --8<-- [end:module]


# --8<-- [start:step]
def step(variables):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((module.train(x) - 1) ** 2)
    grads = tape.gradient(loss, variables)
    tf.keras.optimizers.SGD(0.1).apply_gradients(zip(grads, variables))


try:
    step(module.trainable_variables)
except ValueError as error:
    print(f"ValueError: {error}")
# --8<-- [end:step]

# --8<-- [start:outside]
bn = module.bn
other = tf.Module()
other.infer = tf.function(
    lambda rows: bn(rows, training=False),
    input_signature=[tf.TensorSpec((None, 4))],
)
try:
    tf.saved_model.save(other, "outside")
except AssertionError as error:
    print(f"AssertionError: {str(error)[:61]}")
# --8<-- [end:outside]

# --8<-- [start:fix]
beta = module.bn.beta.numpy()
step(module.bn.trainable_variables)
print("beta moved:", not np.array_equal(module.bn.beta, beta))
tf.saved_model.save(module, "module")
# --8<-- [end:fix]

# --8<-- [start:expect]
arrays = {v.name: v.numpy() for v in module.bn.variables}
np.savez("expected.npz", x=x, outputs=module.infer(x), **arrays)
# --8<-- [end:expect]

# --8<-- [start:reload]
import numpy as np
import tensorflow as tf

loaded = tf.saved_model.load("module")
expected = np.load("expected.npz")
for name in ["gamma", "beta", "moving_mean", "moving_variance"]:
    equal = np.array_equal(getattr(loaded.bn, name), expected[name])
    print(f"{name:16} equal: {equal}")
outputs = loaded.infer(expected["x"])
np.testing.assert_allclose(outputs, expected["outputs"], 1e-4, 1e-5)
print("predictions equal within 1e-5")
loaded.train(expected["x"] + 100)
moved = not np.array_equal(loaded.bn.moving_mean, expected["moving_mean"])
print("train moves them:", moved)
# --8<-- [end:reload]
