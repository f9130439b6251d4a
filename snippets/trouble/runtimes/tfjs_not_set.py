# --8<-- [start:model]
import numpy as np
import tf_keras

layers = tf_keras.layers
tf_keras.utils.set_random_seed(0)
image = layers.Input((8, 8, 3), name="image")
y = layers.Conv2D(4, 3, name="conv1/7x7")(image)
y = layers.BatchNormalization(name="conv1/7x7/bn")(y)
y = layers.GlobalAveragePooling2D(name="pool")(layers.ReLU(name="relu")(y))
model = tf_keras.Model(image, layers.Dense(3, name="head")(y))
x = np.random.normal(5, 3, size=(32, 8, 8, 3)).astype("float32")
model.compile("sgd", "mse")
model.fit(x, x[:, 0, 0], epochs=5, verbose=0)
# --8<-- [end:model]

# --8<-- [start:browser]
import shutil
import subprocess
import tarfile
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import sync_playwright

html = """<!doctype html>
<script src="package/dist/tf.min.js"></script>
<script>
  async function predict([folder, images]) {
    await tf.setBackend("cpu");
    try {
      const model = await tf.loadLayersModel(folder + "/model.json");
      return await model.predict(tf.tensor(images)).array();
    } catch (error) {
      return error.message;
    }
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


def in_browser(folder, images):
    """Return what a model predicts in Chromium, or its message."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/predict.html")
        found = page.evaluate("predict", [folder, images.tolist()])
        browser.close()
    return found


# --8<-- [end:browser]

# --8<-- [start:save]
model.save("model.h5")
again = tf_keras.models.load_model("model.h5")
weights = zip(again.get_weights(), model.get_weights(), strict=True)
print("Keras loads it:", all(np.array_equal(*pair) for pair in weights))
# --8<-- [end:save]

# --8<-- [start:convert]
from tensorflowjs import converters

converters.convert(["--input_format=keras", "model.h5", "web_model"])
# --8<-- [end:convert]

# --8<-- [start:see]
message = in_browser("web_model", x)
print(message.replace(": ", ":\n").replace(",", "\n"))
# --8<-- [end:see]

# --8<-- [start:why]
import h5py

with h5py.File("model.h5") as file:
    print("in conv1/7x7:", *file["model_weights/conv1/7x7"])
# --8<-- [end:why]


# --8<-- [start:fix]
def without_slash(layer):
    config = layer.get_config()
    config["name"] = config["name"].replace("/", "_")
    return type(layer).from_config(config)


renamed = tf_keras.models.clone_model(model, clone_function=without_slash)
renamed.set_weights(model.get_weights())
renamed.save("renamed.h5")
# --8<-- [end:fix]

# --8<-- [start:again]
from tensorflowjs import converters

converters.convert(["--input_format=keras", "renamed.h5", "web_renamed"])
# --8<-- [end:again]

# --8<-- [start:sure]
expected = model(x, training=False).numpy()
found = in_browser("web_renamed", x)
np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
print(len(x), "predictions within 1e-4")
# --8<-- [end:sure]
