"""Save a small model in every format, load it, and print what came back, as JSON.

A script: it runs as ``__main__`` in an empty folder. The result maps each property to
the cells of its row, one a format.
"""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

ROOT = Path.cwd()
ARRAYS = ["gamma", "beta", "moving_mean", "moving_variance"]

x = np.random.default_rng(0).normal(5.0, 3.0, (64, 4)).astype("float32")
y = x.sum(axis=1, keepdims=True)


@keras.saving.register_keras_serializable(package="formats")
class Scale(keras.layers.Layer):
    """A layer whose code the reader has to have."""

    def call(self, inputs):
        """Return the inputs, doubled."""
        return 2.0 * inputs


def build(custom=False, frozen=False, dtype="float32"):
    """Return the model as the code has it: compiled, with its optimizer built."""
    keras.utils.set_random_seed(0)
    middle = [Scale()] if custom else []
    net = keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.Dense(8, name="dense", dtype=dtype),
            keras.layers.BatchNormalization(name="bn", dtype=dtype),
            *middle,
            keras.layers.Dense(1, name="head", dtype=dtype),
        ]
    )
    net.get_layer("bn").trainable = not frozen
    net.compile(optimizer=keras.optimizers.Adam(0.01), loss="mean_squared_error")
    net.optimizer.build(net.trainable_variables)
    return net


def train(net, epochs=2):
    """Train for a few steps, in the same order every time."""
    net.fit(x, y, epochs=epochs, batch_size=16, shuffle=False, verbose=0)
    return net


def load_into_code(path):
    """Load weights into the model that the code builds."""
    net = build()
    net.load_weights(path)
    return net


def save_checkpoint(net, path):
    """Write a checkpoint into a folder."""
    tf.train.Checkpoint(model=net).save(f"{path}/net")


def restore_checkpoint(path):
    """Restore a checkpoint into the model that the code builds."""
    net = build()
    status = tf.train.Checkpoint(model=net).restore(tf.train.latest_checkpoint(path))
    status.assert_existing_objects_matched()
    return net


def load_npz(path):
    """Set the weights of the model that the code builds."""
    net = build()
    with np.load(path) as arrays:
        net.set_weights([arrays[f"arr_{i}"] for i in range(len(arrays))])
    return net


FORMATS = {
    ".keras": (
        "m.keras",
        lambda net, path: net.save(path),
        keras.saving.load_model,
    ),
    ".weights.h5": (
        "m.weights.h5",
        lambda net, path: net.save_weights(path),
        load_into_code,
    ),
    "sharded weights": (
        "m.weights.json",
        lambda net, path: net.save_weights(path, max_shard_size=1),
        load_into_code,
    ),
    ".h5": (
        "m.h5",
        lambda net, path: net.save(path),
        keras.saving.load_model,
    ),
    "SavedModel": (
        "exported",
        lambda net, path: net.export(path, verbose=False),
        tf.saved_model.load,
    ),
    "Checkpoint": ("checkpoint", save_checkpoint, restore_checkpoint),
    "npz": (
        "m.npz",
        lambda net, path: np.savez(path, *net.get_weights()),
        load_npz,
    ),
}
FROM_CODE = {load_into_code, restore_checkpoint, load_npz}


def in_folder(name):
    """Go to an empty folder, so that no file of another measurement is in the way."""
    folder = ROOT / name
    folder.mkdir(parents=True)
    os.chdir(folder)


def arrays_of(loaded):
    """Return the four arrays of the loaded model by name."""
    if hasattr(loaded, "get_layer"):
        layer = loaded.get_layer("bn")
        return {name: getattr(layer, name).numpy() for name in ARRAYS}
    named = {v.name.split(":")[0].split("/")[-1]: v.numpy() for v in loaded.variables}
    return {name: named[name] for name in ARRAYS}


def same(before, after):
    """Say whether two lists of arrays are equal bit for bit."""
    return len(before) == len(after) and all(map(np.array_equal, before, after))


def yes(condition):
    """Return the word for a cell."""
    return "yes" if condition else "no"


@functools.cache
def round_trip(name, **options):
    """Save a trained model and load it; return both, for all who only look at them."""
    path, save, load = FORMATS[name]
    net = train(build(**options))
    save(net, path)
    return net, load(path)


def equal_arrays(name, which):
    """Say whether these arrays came back bit for bit."""
    net, loaded = round_trip(name)
    before, after = arrays_of(net), arrays_of(loaded)
    return yes(same([before[a] for a in which], [after[a] for a in which]))


def gamma_and_beta(name):
    """`gamma`, `beta`"""
    return equal_arrays(name, ["gamma", "beta"])


def moving_statistics(name):
    """`moving_mean`, `moving_variance`"""
    return equal_arrays(name, ["moving_mean", "moving_variance"])


def architecture(name):
    """architecture"""
    if FORMATS[name][2] in FROM_CODE:
        return "no, build it"
    _, loaded = round_trip(name)
    return yes(True) if hasattr(loaded, "layers") else "graph only"


def optimizer(name):
    """optimizer and step count"""
    net, loaded = round_trip(name)
    if not hasattr(loaded, "optimizer"):
        return "no"
    states = ([v.numpy() for v in m.optimizer.variables] for m in [net, loaded])
    return yes(same(*states))


def compile_state(name):
    """compile settings"""
    if FORMATS[name][2] in FROM_CODE:
        return "no, compile"
    _, loaded = round_trip(name)
    return yes(getattr(loaded, "compiled", False) and bool(loaded.loss))


def trainable_flags(name):
    """`trainable` flags"""
    try:
        _, loaded = round_trip(name, frozen=True)
    except ValueError:
        return "no, `restore` raises"
    return yes(hasattr(loaded, "layers") and not loaded.get_layer("bn").trainable)


def dtype_policy(name):
    """dtype policy"""
    _, loaded = round_trip(name, dtype="mixed_float16")
    if not hasattr(loaded, "layers"):
        # The graph computes as the model did; float16 shows in its operations.
        graph = loaded.signatures["serving_default"].graph.as_graph_def()
        types = {n.attr["T"].type for f in graph.library.function for n in f.node_def}
        return "in the graph" if tf.float16.as_datatype_enum in types else "no"
    return yes(loaded.get_layer("bn").dtype_policy.name == "mixed_float16")


def custom_objects(name):
    """custom layers, registered"""
    if FORMATS[name][2] in FROM_CODE:
        return "in your code"
    net, loaded = round_trip(name, custom=True)
    call = getattr(loaded, "serve", loaded)
    return yes(np.allclose(call(x), net(x, training=False), atol=1e-5))


@functools.cache
def opened_elsewhere():
    """Return the formats that a process opens which does not know the class."""
    code = "import keras, tensorflow as tf\n"
    for name, (path, save, load) in FORMATS.items():
        if load not in FROM_CODE:
            save(train(build(custom=True)), path)
            module = "tf.saved_model.load" if name == "SavedModel" else "load_model"
            code += (
                f"try: {module}({path!r}); print({name!r})\nexcept Exception: pass\n"
            )
    code = code.replace("load_model", "keras.saving.load_model")
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return run.stdout.split()


def without_code(name):
    """opens without your code"""
    return yes(name in opened_elsewhere())


def exact_resume(name):
    """resumes bit for bit"""
    straight = train(build(), epochs=4)
    _, loaded = round_trip.__wrapped__(name)
    if not hasattr(loaded, "fit"):
        return "no"
    try:
        train(loaded)
    except ValueError:
        return "no, `fit` raises"
    return yes(same(straight.get_weights(), loaded.get_weights()))


def detects_corruption(name):
    """detects a flipped bit"""
    path, save, load = FORMATS[name]
    net = train(build())
    save(net, path)
    payload = net.get_layer("bn").moving_variance.numpy().tobytes()
    files = [p for p in Path().rglob("*") if p.is_file() and payload in p.read_bytes()]
    for file in files:
        content = bytearray(file.read_bytes())
        content[content.index(payload) + 3] ^= 0x40  # the highest exponent bit
        file.write_bytes(content)
    try:
        loaded = load(path)
    except Exception as error:
        return f"yes, `{type(error).__name__}`"
    same = np.array_equal(
        net.get_layer("bn").moving_variance.numpy(),
        arrays_of(loaded)["moving_variance"],
    )
    return "not found" if same else "no"


PROPERTIES = [
    gamma_and_beta,
    moving_statistics,
    architecture,
    optimizer,
    compile_state,
    trainable_flags,
    dtype_policy,
    custom_objects,
    without_code,
    exact_resume,
    detects_corruption,
]

if __name__ == "__main__":
    cells = {}
    for prop in PROPERTIES:
        for name in FORMATS:
            in_folder(f"{prop.__name__}/{name.strip('.').replace(' ', '-')}")
            cells.setdefault(prop.__doc__, {})[name] = prop(name)
    in_folder("to_load_elsewhere")
    net = train(build())
    for path, save, _ in FORMATS.values():
        # Saving as .h5 changes how the model is compiled, so each gets its own copy.
        copy = train(build())
        save(copy, path)
    np.savez("expected.npz", x=x, predictions=net(x, training=False), **arrays_of(net))
    print(json.dumps(cells))
