# --8<-- [start:model]
import keras
import numpy as np

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input(shape=(12, 12, 3), name="image"),
        keras.layers.Conv2D(4, 3, use_bias=False, name="conv"),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.ReLU(),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(5, name="dense"),
        keras.layers.BatchNormalization(name="bn_2"),
        keras.layers.Dense(3, activation="softmax", name="head"),
    ]
)
x = np.random.normal(1, 2, size=(32, 12, 12, 3)).astype("float32")
for name in ["bn", "bn_2"]:  # random arrays stand in for training
    layer = model.get_layer(name)
    shapes = [array.shape for array in layer.get_weights()]
    layer.set_weights([np.random.uniform(0.5, 3, shape) for shape in shapes])
# --8<-- [end:model]

# --8<-- [start:export]
model.export("exported", verbose=False)
# --8<-- [end:export]

# --8<-- [start:convert]
from tensorflowjs import converters

converters.convert_tf_saved_model("exported", "web_model")
# --8<-- [end:convert]

# --8<-- [start:page]
html = """<!doctype html>
<script src="package/dist/tf.min.js"></script>
<script>
  async function predict(images) {
    await tf.setBackend("cpu");
    const model = await tf.loadGraphModel("web_model/model.json");
    return model.predict(tf.tensor(images)).array();
  }
</script>
"""
with open("predict.html", "w") as file:
    file.write(html)
# --8<-- [end:page]

# --8<-- [start:library]
import subprocess
import tarfile

subprocess.run(
    ["npm", "pack", "--silent", "@tensorflow/tfjs@4.22.0"],
    check=True,
    stdout=subprocess.DEVNULL,
)
with tarfile.open("tensorflow-tfjs-4.22.0.tgz") as archive:
    archive.extract("package/dist/tf.min.js", filter="data")
# --8<-- [end:library]

# --8<-- [start:browser]
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import sync_playwright

server = ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
with sync_playwright() as driver:
    browser = driver.chromium.launch(
        executable_path=shutil.which("chromium"), args=["--no-sandbox"]
    )
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{server.server_port}/predict.html")
    batch = page.evaluate("predict", x.tolist())
    one = page.evaluate("predict", x[:1].tolist())
    told = page.evaluate("[tf.version.tfjs, tf.getBackend()]")
    browser.close()
print("TensorFlow.js {} on {}".format(*told))
# --8<-- [end:browser]

# --8<-- [start:compare]
expected = model(x, training=False).numpy()
np.testing.assert_allclose(batch, expected, atol=1e-5)
np.testing.assert_allclose(one, expected[:1], atol=1e-5)
print(len(batch), "predictions within 1e-5, and one alone")

weights = model.get_weights()
training = model(x, training=True).numpy()
model.set_weights(weights)  # that call moved the statistics
print("training mode is that near:", np.allclose(batch, training, atol=1e-5))
# --8<-- [end:compare]

# --8<-- [start:read]
import json
from pathlib import Path


def arrays_of(folder):
    """Return the arrays of a TensorFlow.js model, by the names in its file."""
    told = json.loads(Path(folder, "model.json").read_text())
    found = {}
    for group in told["weightsManifest"]:
        parts = [Path(folder, name).read_bytes() for name in group["paths"]]
        data, start = b"".join(parts), 0
        for array in group["weights"]:
            if "quantization" in array:
                raise ValueError(f"{array['name']} is stored rounded")
            flat = np.frombuffer(
                data, array["dtype"], np.prod(array["shape"], dtype=int), start
            )
            found[array["name"]] = flat.reshape(array["shape"])
            start += flat.nbytes
    return found


arrays = arrays_of("web_model")
for name, array in arrays.items():
    print("/".join(name.split("/")[2:]), array.shape)
# --8<-- [end:read]


# --8<-- [start:folded]
def is_in_file(array):
    same = [a for a in arrays.values() if a.shape == array.shape]
    return any(np.allclose(a, array, atol=1e-5) for a in same)


for name in ["bn", "bn_2"]:
    layer = model.get_layer(name)
    gamma, beta, mean, variance = layer.get_weights()
    factor = gamma / np.sqrt(variance + layer.epsilon)
    print(name, "the factor:", is_in_file(factor))
    print(name, "the offset:", is_in_file(beta - mean * factor))
    print(name, "moving_mean:", is_in_file(mean))
    if name == "bn":
        kernel = model.get_layer("conv").kernel.numpy()
        print(name, "kernel times factor:", is_in_file(kernel * factor))
# --8<-- [end:folded]

# --8<-- [start:versions]
from importlib.metadata import version

for library in ["tensorflow", "keras", "playwright"]:
    print(library, version(library))
# --8<-- [end:versions]
