# --8<-- [start:setup]
import keras
import numpy as np

from tfjs_browser import in_browser

COMPUTE = """async ([axis, arrays, images]) => {
  await tf.setBackend("cpu");
  const x = tf.tensor(images);
  const layer = tf.layers.batchNormalization({axis});
  layer.build(x.shape);
  layer.setWeights(arrays.map((array) => tf.tensor(array)));
  return layer.apply(x, {training: false}).array();
}"""


def computed(layer, x):
    """Compute a BatchNormalization with TensorFlow.js in Chromium."""
    arrays = [array.tolist() for array in layer.get_weights()]
    return np.array(in_browser(COMPUTE, [layer.axis, arrays, x.tolist()]))


def build(axis, channels):
    layer = keras.layers.BatchNormalization(axis=axis)
    shape = [None] * 4
    shape[axis] = channels
    layer.build(shape)
    layer.set_weights([np.random.uniform(0.5, 3, channels) for _ in range(4)])
    return layer


# --8<-- [end:setup]

# --8<-- [start:see]
keras.utils.set_random_seed(0)
x = np.random.normal(size=(2, 3, 8, 8)).astype("float32")
first, last = build(1, 3), build(3, 8)
for layer in [last, first]:
    expected = layer(x, training=False).numpy()
    near = np.allclose(computed(layer, x), expected, atol=1e-5)
    print(f"axis={layer.axis}: as in Keras: {near}")
# --8<-- [end:see]

# --8<-- [start:why]
gamma, beta, mean, variance = first.get_weights()
factor = gamma / np.sqrt(variance + first.epsilon)
flat = x.reshape(-1)
channel = np.arange(flat.size) % 3  # counted along the last axis
wrong = (flat - mean[channel]) * factor[channel] + beta[channel]
found = computed(first, x).reshape(-1)
print("counted along the last axis:", np.allclose(found, wrong, atol=1e-5))
# --8<-- [end:why]

# --8<-- [start:fix]
inputs = keras.Input(shape=(3, 8, 8))
moved = keras.layers.Permute((2, 3, 1))(inputs)
bn = keras.layers.BatchNormalization(name="bn")
outputs = keras.layers.Permute((3, 1, 2))(bn(moved))
model = keras.Model(inputs, outputs)
bn.set_weights(first.get_weights())
# --8<-- [end:fix]

# --8<-- [start:sure]
expected = first(x, training=False).numpy()
np.testing.assert_allclose(model(x, training=False), expected, atol=1e-5)

bn.axis = 3  # TensorFlow.js counts from the front
found = computed(bn, np.transpose(x, (0, 2, 3, 1)))
found = np.transpose(found, (0, 3, 1, 2))
print("as in Keras:", np.allclose(found, expected, atol=1e-5))
# --8<-- [end:sure]
