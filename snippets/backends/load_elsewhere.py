# --8<-- [start:versions]
from importlib.metadata import version

for library in ["keras", "tensorflow", "jax", "torch", "numpy"]:
    print(library, version(library).partition("+")[0])
# --8<-- [end:versions]

# --8<-- [start:model]
import keras
import numpy as np


def build():
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.Dense(16, name="dense"),
            keras.layers.BatchNormalization(name="bn"),
            keras.layers.ReLU(),
            keras.layers.Dense(2, activation="softmax", name="head"),
        ]
    )


# --8<-- [end:model]


# --8<-- [start:train]
def train_and_save():
    keras.utils.set_random_seed(0)
    x = np.random.normal(5, 3, size=(512, 8)).astype("float32")
    y = (x[:, 0] + x[:, 1] > 10).astype("int32")

    model = build()
    model.compile(
        optimizer=keras.optimizers.Adam(0.01),
        loss="sparse_categorical_crossentropy",
    )
    model.fit(x, y, batch_size=64, epochs=5, verbose=0)

    backend = keras.config.backend()
    np.savez(
        f"{backend}.npz",
        *model.get_weights(),
        x=x,
        y=y,
        predictions=model.predict(x, verbose=0),
    )
    model.save(f"by-{backend}.keras")
    model.save_weights(f"by-{backend}.weights.h5")
    model.save(f"by-{backend}.h5")
    print("trained and saved with", backend)


train_and_save()
# --8<-- [end:train]

# --8<-- [start:read_jax]
import os

os.environ["KERAS_BACKEND"] = "jax"  # before Keras is imported

import sys

import keras
import numpy as np

loaded = keras.saving.load_model("by-tensorflow.keras")
expected = np.load("tensorflow.npz")

starts = {"gamma": 1, "beta": 0, "moving_mean": 0, "moving_variance": 1}
for i, variable in enumerate(loaded.weights):
    array = variable.numpy()
    equal = np.array_equal(array, expected[f"arr_{i}"])
    learned = np.all(array != starts.get(variable.name, 0))
    print(f"{variable.name:16} learned: {learned}  equal: {equal}")

predictions = loaded.predict(expected["x"], verbose=0)
np.testing.assert_allclose(predictions, expected["predictions"], atol=1e-5)
print(len(predictions), "predictions within 1e-5")
print("backend:", keras.config.backend())
print("TensorFlow imported:", "tensorflow" in sys.modules)
# --8<-- [end:read_jax]

# --8<-- [start:read_torch]
import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch

loaded = keras.saving.load_model("by-tensorflow.keras")
expected = np.load("tensorflow.npz")
x = torch.from_numpy(expected["x"])

weights = loaded.get_weights()
for i, array in enumerate(weights):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
with torch.no_grad():
    predictions = loaded(x, training=False).numpy()
np.testing.assert_allclose(predictions, expected["predictions"], atol=1e-5)
print(len(weights), "arrays equal")
print(len(predictions), "predictions within 1e-5")
print("a torch.nn.Module:", isinstance(loaded, torch.nn.Module))

for mode in [loaded.train, loaded.eval]:
    mode()
    with torch.no_grad():
        same = np.allclose(loaded(x).numpy(), predictions, atol=1e-5)
    print(f"after {mode.__name__}(), a call is in inference mode: {same}")

try:
    np.asarray(loaded(x))
except RuntimeError as error:
    print("RuntimeError:", error)
# --8<-- [end:read_torch]

# --8<-- [start:numpy_backend]
import os

os.environ["KERAS_BACKEND"] = "numpy"
# --8<-- [end:numpy_backend]

# --8<-- [start:read_numpy]
rebuilt = build()
rebuilt.load_weights("by-tensorflow.weights.h5")
expected = np.load("tensorflow.npz")

weights = rebuilt.get_weights()
for i, array in enumerate(weights):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
predictions = rebuilt.predict(expected["x"], verbose=0)
np.testing.assert_allclose(predictions, expected["predictions"], atol=1e-5)
print(len(weights), "arrays equal")
print(len(predictions), "predictions within 1e-5")

rebuilt.compile(loss="sparse_categorical_crossentropy")
try:
    rebuilt.fit(expected["x"], expected["y"], verbose=0)
except NotImplementedError as error:
    print("NotImplementedError:", error)
# --8<-- [end:read_numpy]


# --8<-- [start:load_to_train]
def load_to_train(path):
    model = keras.saving.load_model(path, compile=False)
    model.compile(
        optimizer=keras.optimizers.Adam(0.01),
        loss="sparse_categorical_crossentropy",
    )
    model.optimizer.build(model.trainable_variables)
    model.load_weights(path)  # now the optimizer's arrays have a place
    return model


# --8<-- [end:load_to_train]


# --8<-- [start:read_all]
def check(model, expected):
    equal = all(
        np.array_equal(array, expected[f"arr_{i}"])
        for i, array in enumerate(model.get_weights())
    )
    predictions = model(expected["x"], training=False)
    predictions = keras.ops.convert_to_numpy(predictions)
    close = np.allclose(predictions, expected["predictions"], atol=1e-5)
    return "same" if equal and close else "DIFFERS"


def train_on(model, expected):
    if keras.config.backend() == "numpy":
        return "no fit"
    model.jit_compile = keras.config.backend() == "jax"
    try:
        model.fit(expected["x"], expected["y"], batch_size=64, verbose=0)
    except TypeError:
        return "TypeError"
    return f"step {int(model.optimizer.iterations)}"


def read_all():
    for writer in ["tensorflow", "jax", "torch"]:
        expected = np.load(f"{writer}.npz")
        whole = keras.saving.load_model(f"by-{writer}.keras")
        rebuilt = build()
        rebuilt.load_weights(f"by-{writer}.weights.h5")
        old = keras.saving.load_model(f"by-{writer}.h5", compile=False)
        cells = [
            writer,
            keras.config.backend(),
            check(whole, expected),
            check(rebuilt, expected),
            check(old, expected),
            train_on(whole, expected),
            train_on(load_to_train(f"by-{writer}.keras"), expected),
        ]
        print(" ".join(f"{cell:11}" for cell in cells).rstrip())


# --8<-- [end:read_all]

# --8<-- [start:pairs]
import inspect
import os
import subprocess
import sys


def run(backend, *functions):
    source = "\n".join(map(inspect.getsource, [build, *functions]))
    call = f"{functions[-1].__name__}()"
    program = f"import keras\nimport numpy as np\n{source}\n{call}"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"KERAS_BACKEND": backend},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    print(done.stdout, end="")


for backend in ["jax", "torch"]:
    run(backend, train_and_save)
print()

heading = "writer reader .keras .weights.h5 .h5 fit load_to_train"
print(" ".join(f"{cell:11}" for cell in heading.split()))
for backend in ["tensorflow", "jax", "torch", "numpy"]:
    run(backend, check, train_on, load_to_train, read_all)
# --8<-- [end:pairs]

# --8<-- [start:what_files_say]
import json
import zipfile

for backend in ["tensorflow", "jax", "torch"]:
    with zipfile.ZipFile(f"by-{backend}.keras") as archive:
        settings = json.loads(archive.read("config.json"))["compile_config"]
    print(f"{backend:10} optimizer from {settings['optimizer']['module']}")
# --8<-- [end:what_files_say]

# --8<-- [start:without_torch]
sys.modules["torch"] = None  # from here on, as if it were not installed
try:
    keras.saving.load_model("by-torch.keras")
except TypeError as error:
    print("TypeError:", str(error).partition(" Full object")[0])
del sys.modules["torch"]
# --8<-- [end:without_torch]

# --8<-- [start:fit_fails]
expected = np.load("torch.npz")
loaded = keras.saving.load_model("by-torch.keras")
try:
    loaded.fit(expected["x"], expected["y"], verbose=0)
except TypeError as error:
    print("TypeError:", error)
# --8<-- [end:fit_fails]

# --8<-- [start:fit_works]
trained = load_to_train("by-torch.keras")
print("step", int(trained.optimizer.iterations))
trained.fit(expected["x"], expected["y"], batch_size=64, verbose=0)
print("step", int(trained.optimizer.iterations))
# --8<-- [end:fit_works]

# --8<-- [start:jit_compile]
for backend in ["tensorflow", "jax", "torch"]:
    loaded = keras.saving.load_model(f"by-{backend}.keras")
    print(f"{backend:10} jit_compile: {loaded.jit_compile}")
# --8<-- [end:jit_compile]

# --8<-- [start:too_late]
os.environ["KERAS_BACKEND"] = "jax"
import keras

print("backend:", keras.config.backend())
# --8<-- [end:too_late]

# --8<-- [start:images]
keras.utils.set_random_seed(0)
images = np.random.normal(5, 3, size=(64, 3, 6, 6)).astype("float32")

net = keras.Sequential(
    [
        keras.Input(shape=(3, 6, 6)),
        keras.layers.Conv2D(4, 3, data_format="channels_first", name="conv"),
        keras.layers.BatchNormalization(axis=1, name="bn"),
    ]
)
net(images, training=True)
net.save("images.keras")
np.savez("images.npz", images=images, predictions=net(images, training=False))
# --8<-- [end:images]

# --8<-- [start:read_images]
import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np

loaded = keras.saving.load_model("images.keras")
print("default:", keras.config.image_data_format())
print("loaded: ", loaded.get_layer("conv").data_format)
print("axis:   ", loaded.get_layer("bn").axis)

expected = np.load("images.npz")
predictions = loaded.predict(expected["images"], verbose=0)
np.testing.assert_allclose(predictions, expected["predictions"], atol=1e-4)
print("predictions within 1e-4")
# --8<-- [end:read_images]

# --8<-- [start:other_default]
keras.config.set_image_data_format("channels_first")
print("Conv2D:            ", keras.layers.Conv2D(4, 3).data_format)
print("BatchNormalization:", keras.layers.BatchNormalization().axis)
keras.config.set_image_data_format("channels_last")
# --8<-- [end:other_default]

# --8<-- [start:formats_jax]
import os

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np
import tensorflow as tf

loaded = keras.saving.load_model("by-tensorflow.keras")
expected = np.load("tensorflow.npz")

try:
    tf.train.Checkpoint(model=loaded).save("checkpoints/net")
except ValueError as error:
    print("ValueError:", str(error).partition(" (an object")[0])

loaded.export("served", verbose=False)
served = tf.saved_model.load("served")
np.testing.assert_allclose(
    served.serve(expected["x"]), expected["predictions"], atol=1e-5
)
print("exported from JAX, predictions within 1e-5")
# --8<-- [end:formats_jax]
