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

for mode, settings in [
    (loaded.train, {}),
    (loaded.eval, {}),
    (loaded.eval, {"training": True}),
]:
    mode()
    with torch.no_grad():
        same = np.allclose(loaded(x, **settings), predictions, atol=1e-5)
    print(f"{mode.__name__}(), {settings}: inference mode is {same}")

try:
    np.asarray(loaded(x))
except RuntimeError as error:
    print("RuntimeError:", str(error).partition(". ")[0])
# --8<-- [end:read_torch]

# --8<-- [start:numpy_backend]
import os

os.environ["KERAS_BACKEND"] = "numpy"
# --8<-- [end:numpy_backend]

# --8<-- [start:read_numpy]
rebuilt = build()
expected = np.load("tensorflow.npz")
predictions = rebuilt.predict(expected["x"], verbose=0)
equal = np.allclose(predictions, expected["predictions"], atol=1e-5)
print("equal before loading:", equal)

rebuilt.load_weights("by-tensorflow.weights.h5")
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
import json
import zipfile


def load_to_train(path, optimizer, **settings):
    model = keras.saving.load_model(path, compile=False)
    model.compile(optimizer=optimizer, **settings)
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
    saved = (config.get("compile_config") or {}).get("optimizer", "nothing")
    if isinstance(saved, dict):  # under mixed_float16, one is inside another
        saved = saved["config"].get("inner_optimizer", saved)["class_name"]
    own = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    if saved.lower() != type(own).__name__.lower():  # its arrays may fit
        raise ValueError(f"{path} was trained with {saved}")
    model.optimizer.build(model.trainable_variables)
    model.load_weights(path)  # now the optimizer's arrays have a place
    if int(model.optimizer.iterations) == 0:
        raise ValueError(f"{path} holds no arrays of such an optimizer")
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
        again = load_to_train(
            f"by-{writer}.keras",
            optimizer=keras.optimizers.Adam(0.01),
            loss="sparse_categorical_crossentropy",
        )
        row(
            writer,
            keras.config.backend(),
            check(whole, expected),
            check(rebuilt, expected),
            check(old, expected),
            train_on(whole, expected),
            train_on(again, expected),
        )


def row(*cells):
    widths = [10, 10, 6, 11, 4, 9, 13]
    print("  ".join(f"{c:{w}}" for c, w in zip(cells, widths)).rstrip())


# --8<-- [end:read_all]

# --8<-- [start:write_all]
import inspect
import os
import subprocess
import sys


def run(*functions, **environment):
    source = "\n".join(map(inspect.getsource, functions))
    call = f"{functions[-1].__name__}()"
    imports = "import json, keras, zipfile\nimport numpy as np"
    program = f"{imports}\n{source}\n{call}"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    print(done.stdout, end="")


for backend in ["jax", "torch"]:
    run(build, train_and_save, KERAS_BACKEND=backend)
# --8<-- [end:write_all]

# --8<-- [start:pairs]
row(*"writer reader .keras .weights.h5 .h5 fit load_to_train".split())
helpers = [build, check, train_on, load_to_train, row]
for backend in ["tensorflow", "jax", "torch", "numpy"]:
    run(*helpers, read_all, KERAS_BACKEND=backend)
# --8<-- [end:pairs]

# --8<-- [start:what_files_say]
for backend in ["tensorflow", "jax", "torch"]:
    with zipfile.ZipFile(f"by-{backend}.keras") as archive:
        settings = json.loads(archive.read("config.json"))["compile_config"]
    print(f"{backend:10} optimizer from {settings['optimizer']['module']}")
# --8<-- [end:what_files_say]

# --8<-- [start:without_torch]
import textwrap

sys.modules["torch"] = None  # from here on, as if it were not installed
for settings in [{}, {"compile": False}]:
    try:
        keras.saving.load_model("by-torch.keras", **settings)
        print(settings, "loaded")
    except TypeError as error:
        text = str(error).partition(" Full object")[0]
        print(textwrap.fill(f"{settings} TypeError: {text}", 77))
del sys.modules["torch"]
# --8<-- [end:without_torch]

# --8<-- [start:fit_fails]
expected = np.load("torch.npz")
rows = {"x": expected["x"], "y": expected["y"], "batch_size": 64, "verbose": 0}
loaded = keras.saving.load_model("by-torch.keras")
print("predicts:", check(loaded, expected))
try:
    loaded.fit(**rows)
except TypeError as error:
    print("fit:", error)

trained = load_to_train(
    "by-torch.keras",
    optimizer=keras.optimizers.Adam(0.5),
    loss="sparse_categorical_crossentropy",
)
rate = float(trained.optimizer.learning_rate)
print(
    f"load_to_train: step {int(trained.optimizer.iterations)}, rate {rate:.2f}"
)
trained.fit(**rows)
print("after an epoch of 8 steps: step", int(trained.optimizer.iterations))
# --8<-- [end:fit_fails]

# --8<-- [start:no_optimizer]
for kind, other in [("rmsprop", "sgd"), ("sgd", "adam"), ("adam", "adam")]:
    trained.compile(kind, loss="sparse_categorical_crossentropy")
    trained.fit(**rows)
    trained.save("other.keras")
    try:
        loaded = load_to_train("other.keras", optimizer=other)
        print(f"{kind}, {other}: step", int(loaded.optimizer.iterations))
    except ValueError as error:
        print(f"{kind}, {other}: ValueError:", error)
# --8<-- [end:no_optimizer]

# --8<-- [start:jit_compile]
for backend in ["tensorflow", "jax", "torch"]:
    loaded = keras.saving.load_model(f"by-{backend}.keras")
    print(f"{backend:10} jit_compile: {loaded.jit_compile}")
# --8<-- [end:jit_compile]


# --8<-- [start:too_late]
def say_backend():
    print("set in the shell:", keras.config.backend())


run(say_backend, KERAS_BACKEND="jax")

os.environ["KERAS_BACKEND"] = "jax"
import keras

print("set too late:    ", keras.config.backend())
# --8<-- [end:too_late]


# --8<-- [start:images]
def build_images(channels):
    first = channels == "channels_first"
    return keras.Sequential(
        [
            keras.Input(shape=(3, 6, 6) if first else (6, 6, 3)),
            keras.layers.Conv2D(4, 3, data_format=channels, name="conv"),
            keras.layers.BatchNormalization(axis=1 if first else -1, name="bn"),
            keras.layers.Flatten(data_format=channels),
            keras.layers.Dense(2),
        ]
    )


def save_images():
    keras.utils.set_random_seed(0)
    images = np.random.normal(5, 3, size=(64, 3, 6, 6)).astype("float32")
    net = build_images("channels_first")
    net(images, training=True)
    net.save("images.keras")
    predictions = net.predict(images, verbose=0)
    np.savez("images.npz", images=images, predictions=predictions)
    print("default:", keras.config.image_data_format())
    print("saved:  ", net.get_layer("conv").data_format)


run(build_images, save_images, KERAS_BACKEND="torch")
# --8<-- [end:images]


# --8<-- [start:cpu]
def try_layers():
    x = np.random.normal(5, 3, size=(4, 3, 8, 8)).astype("float32")
    front = {"data_format": "channels_first"}
    for layer in [
        keras.layers.Conv2D(4, 3),
        keras.layers.Conv2D(4, 3, **front),
        keras.layers.Conv2DTranspose(4, 3, **front),
        keras.layers.DepthwiseConv2D(3, **front),
        keras.layers.MaxPooling2D(**front),
        keras.layers.BatchNormalization(axis=1),
    ]:
        found = []
        for jit_compile in [False, True]:
            net = keras.Sequential([keras.Input(x.shape[1:]), layer])
            net.compile(jit_compile=jit_compile)
            try:
                net.predict(x, verbose=0)
                found.append("works")
            except Exception as error:
                found.append(type(error).__name__)
        axes = getattr(layer, "data_format", "axis=1")
        print(f"{layer.name:21} {axes:15} {found[0]:21} {found[1]}")


for setting in ["0", "1"]:
    print(f"TF_ENABLE_ONEDNN_OPTS={setting}")
    heads = ["layer", "channels", "jit_compile=False", "jit_compile=True"]
    print("{:21} {:15} {:21} {}".format(*heads))
    run(try_layers, TF_ENABLE_ONEDNN_OPTS=setting, KERAS_BACKEND="tensorflow")
# --8<-- [end:cpu]

# --8<-- [start:read_images]
loaded = keras.saving.load_model("images.keras")
expected = np.load("images.npz")
images, predictions = expected["images"], expected["predictions"]

loaded.jit_compile = True
outputs = loaded.predict(images, verbose=0)
np.testing.assert_allclose(outputs, predictions, atol=1e-4)
print("channels first, jit_compile=True: within 1e-4")

moved = build_images("channels_last")
moved.set_weights(loaded.get_weights())
outputs = moved.predict(np.moveaxis(images, 1, -1), verbose=0)
np.testing.assert_allclose(outputs, predictions, atol=1e-4)
print("channels last, the same arrays: within 1e-4")
# --8<-- [end:read_images]

# --8<-- [start:other_default]
for default in ["channels_last", "channels_first"]:
    keras.config.set_image_data_format(default)
    print(default)
    print("  Conv2D:            ", keras.layers.Conv2D(4, 3).data_format)
    print("  BatchNormalization:", keras.layers.BatchNormalization().axis)
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
