# --8<-- [start:setup]
import shutil
import subprocess
import tarfile
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import keras
import numpy as np
from playwright.sync_api import sync_playwright

html = """<!doctype html>
<script src="package/dist/tf.min.js"></script>
<script>
  async function predict([axis, arrays, images]) {
    await tf.setBackend("cpu");
    const x = tf.tensor(images);
    const layer = tf.layers.batchNormalization({axis});
    layer.build(x.shape);
    layer.setWeights(arrays.map((array) => tf.tensor(array)));
    return layer.apply(x, {training: false}).array();
  }
</script>
"""
with open("predict.html", "w") as file:
    file.write(html)
package = "@tensorflow/tfjs@4.22.0"
subprocess.run(["npm", "pack", package], check=True, capture_output=True)
with tarfile.open("tensorflow-tfjs-4.22.0.tgz") as archive:
    archive.extract("package/dist/tf.min.js", filter="data")
server = ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()


def in_browser(layer, x):
    """Compute a BatchNormalization with TensorFlow.js in Chromium."""
    arrays = [array.tolist() for array in layer.get_weights()]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/predict.html")
        found = page.evaluate("predict", [layer.axis, arrays, x.tolist()])
        browser.close()
    return np.array(found)


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
    near = np.allclose(in_browser(layer, x), expected, atol=1e-5)
    print(f"axis={layer.axis}: as in Keras: {near}")
# --8<-- [end:see]

# --8<-- [start:why]
gamma, beta, mean, variance = first.get_weights()
factor = gamma / np.sqrt(variance + first.epsilon)
flat = x.reshape(-1)
channel = np.arange(flat.size) % 3  # counted along the last axis
wrong = (flat - mean[channel]) * factor[channel] + beta[channel]
found = in_browser(first, x).reshape(-1)
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
found = in_browser(bn, np.transpose(x, (0, 2, 3, 1)))
found = np.transpose(found, (0, 3, 1, 2))
print("as in Keras:", np.allclose(found, expected, atol=1e-5))
# --8<-- [end:sure]
