# --8<-- [start:load_to_train]
import json
import zipfile

import keras


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


# --8<-- [start:model]
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
    adam = keras.optimizers.Adam(0.01)
    model.compile(adam, "sparse_categorical_crossentropy")
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


# --8<-- [end:train]

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


train_and_save()
for backend in ["jax", "torch"]:
    run(build, train_and_save, KERAS_BACKEND=backend)
# --8<-- [end:write_all]

# --8<-- [start:use]
trained = load_to_train(
    "by-torch.keras",
    optimizer=keras.optimizers.Adam(0.5),
    loss="sparse_categorical_crossentropy",
)
rate = float(trained.optimizer.learning_rate)
print(f"step {int(trained.optimizer.iterations)}, rate {rate:.2f}")

expected = np.load("torch.npz")
rows = {"x": expected["x"], "y": expected["y"], "batch_size": 64, "verbose": 0}
trained.fit(**rows)
print("after an epoch of 8 steps: step", int(trained.optimizer.iterations))
# --8<-- [end:use]


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

# --8<-- [start:pairs]
row(*"writer reader .keras .weights.h5 .h5 fit load_to_train".split())
helpers = [build, check, train_on, load_to_train, row]
for backend in ["tensorflow", "jax", "torch", "numpy"]:
    run(*helpers, read_all, KERAS_BACKEND=backend)
# --8<-- [end:pairs]

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
