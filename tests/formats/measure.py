"""Save small models in every format, load them, and print what came back, as JSON.

A script that runs as ``__main__``. The result maps each part of the table to its rows,
and each row, named by the docstring of its function, to its cells, one per format.
"""

import contextlib
import functools
import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tests.formats.load import FORMATS, FROM_CODE
from tests.formats.models import (
    EPSILON,
    TEMPORARY,
    Block,
    block,
    build,
    fill,
    train,
    trip,
    x,
)

RAISES = (ValueError, tf.errors.InvalidArgumentError)


@functools.cache
def plain(name):
    """Return the plain model and its reload, for all who only look at them."""
    net = fill(build())
    return net, trip(name, net)


def yes(condition):
    """Return the word for a cell."""
    return "yes" if condition else "no"


def predicts(net, loaded):
    """Say whether both predict the same."""
    call = getattr(loaded, "serve", loaded)
    return np.allclose(call(x), net(x, training=False), rtol=1e-4, atol=1e-4)


def arrays(net, loaded):
    """Say whether all arrays came back, each in its place, and predict the same."""
    before = net.get_weights()
    if hasattr(loaded, "layers"):
        equal = map(np.array_equal, before, loaded.get_weights())
    else:
        after = [v.numpy() for v in loaded.variables]
        equal = (any(np.array_equal(a, b) for b in after) for a in before)
    return all(equal) and predicts(net, loaded)


def moments(net, loaded):
    """Say whether the optimizer has the variables it had, with the values they had."""
    if not getattr(loaded, "optimizer", None):
        return False
    (before, old), (after, new) = map(optimizer_of, (net, loaded))
    return before == after and all(map(np.array_equal, old, new))


def optimizer_of(net):
    """Return the names of the optimizer's variables and their values."""
    variables = net.optimizer.variables
    names = [v.name.removeprefix("net_") for v in variables]
    return names, [np.asarray(v) for v in variables]


def sequential(name):
    """Sequential model"""
    return yes(arrays(*plain(name)))


def functional(name):
    """functional model"""
    code = functools.partial(build, functional=True)
    net = fill(code())
    return yes(arrays(net, trip(name, net, code)))


def own(name, kept_in="attributes"):
    """your own layer with BatchNormalization"""
    net = fill(build(block(kept_in)))
    return yes(arrays(net, trip(name, net, lambda: build(block(kept_in)))))


def own_list(name):
    """your own layer, layers in a list"""
    return own(name, "list")


def own_list_in_list(name):
    """your own layer, a list in a list"""
    return own(name, "list in a list")


def normalization(name):
    """adapted `Normalization` layer"""
    layer = keras.layers.Normalization()
    layer.adapt(x)
    net = build(layer)
    loaded = trip(name, net, lambda: build(keras.layers.Normalization()))
    if predicts(net, loaded) or not hasattr(loaded, "layers"):
        return yes(predicts(net, loaded))
    loaded.layers[0].finalize_state()
    return "after `finalize_state()`" if predicts(net, loaded) else "no"


def architecture(name):
    """architecture"""
    if FORMATS[name][2] in FROM_CODE:
        return "no, build it"
    return yes(True) if hasattr(plain(name)[1], "layers") else "graph only"


def settings(name):
    """`epsilon`, `momentum`"""
    net = fill(build(epsilon=0.5))
    loaded = trip(name, net)
    if not hasattr(loaded, "layers"):
        return "in the graph" if predicts(net, loaded) else "no"
    layer = loaded.get_layer("bn")
    return yes((layer.epsilon, layer.momentum) == (0.5, 0.5))


def own_settings(name):
    """`epsilon` inside your own class"""
    net = fill(build(block()))
    net(x)
    Block.epsilon = 1.0
    try:
        loaded = trip(name, net, lambda: build(block()))
    finally:
        Block.epsilon = EPSILON
    found = predicts(net, loaded)
    return "in the graph" if found and name == "SavedModel" else yes(found)


def under(policy, make):
    """Build a model under a global policy."""
    keras.config.set_dtype_policy(policy)
    try:
        return make()
    finally:
        keras.config.set_dtype_policy("float32")


def policy(name, *first, layer=lambda net: net.get_layer("bn")):
    """dtype policy"""
    net = under("mixed_float16", lambda: fill(build(*(new() for new in first))))
    loaded = trip(name, net, lambda: build(*(new() for new in first)))
    if hasattr(loaded, "layers"):
        return yes(layer(loaded).dtype_policy.name == "mixed_float16")
    graph = loaded.signatures["serving_default"].graph.as_graph_def()
    types = {n.attr["T"].type for f in graph.library.function for n in f.node_def}
    return "in the graph" if tf.float16.as_datatype_enum in types else "no"


def own_policy(name):
    """dtype policy inside your own class"""
    return policy(name, block, layer=lambda net: net.layers[0].first)


def flags(name):
    """`trainable` of a layer"""
    kept = []
    for functional in (True, False):
        code = functools.partial(build, functional=functional)
        net = code(freeze=lambda net: net.get_layer("dense"))
        kept.append(not trip(name, net, code).get_layer("dense").trainable)
    return yes(all(kept))


def model_flag(name):
    """`model.trainable`"""
    found = []
    for functional in (True, False):
        code = functools.partial(build, functional=functional)
        loaded = trip(name, code(freeze=lambda net: net), code)
        found.append(not loaded.trainable)
    words = {(True, False): "functional only", (True, True): "yes"}
    return words.get(tuple(found), "no")


def own_flags(name):
    """`trainable` inside your own class"""
    net = fill(build(block(), freeze=lambda net: net.layers[0].first))
    loaded = trip(name, net, lambda: build(block()))
    if not arrays(net, loaded):
        return "no, mixes up arrays"
    return yes(not loaded.layers[0].first.trainable)


def compile_settings(name, loss="mean_squared_error"):
    """compile settings"""
    if FORMATS[name][2] in FROM_CODE:
        return "no, compile"
    loaded = trip(name, build(loss=loss))
    return yes(getattr(loaded, "compiled", False) and bool(loaded.loss))


def compiled_with_mse(name):
    """compile settings with `loss="mse"`"""
    return compile_settings(name, "mse")


def optimizer(name):
    """optimizer: step count, moments"""
    return yes(moments(*plain(name)))


def scaled_optimizer(name):
    """optimizer under `mixed_float16`, loss scale"""
    net = under("mixed_float16", lambda: fill(build()))
    with contextlib.suppress(*RAISES):
        if moments(net, trip(name, net)):
            return "yes"
    loaded = under("mixed_float16", lambda: trip(name, net))
    return "set the policy first" if moments(net, loaded) else "no"


def frozen_inside(name):
    """optimizer, if a layer inside your own class is frozen"""

    def code():
        return build(block(), freeze=lambda net: net.layers[0].first)

    net = fill(code())
    return yes(moments(net, trip(name, net, code)))


def other_flags(name):
    """arrays and optimizer, if your code freezes another layer"""
    net = fill(build(freeze=lambda net: net.get_layer("bn")))
    loaded = trip(name, net, lambda: build(freeze=lambda net: net.get_layer("bn_2")))
    if not arrays(net, loaded):
        return "arrays mixed up"
    if FORMATS[name][2] in FROM_CODE and name != "npz" and not moments(net, loaded):
        return "optimizer mixed up"
    return "yes" if moments(net, loaded) else "arrays only"


@functools.cache
def uninterrupted():
    """Return the arrays after four epochs in one go."""
    return train(build(), epochs=4).get_weights()


@functools.cache
def interrupted(alone):
    """Return the model after two epochs; alone, because saving as .h5 changes it."""
    return train(build())


def exact_resume(name):
    """resumes bit for bit"""
    loaded = trip(name, interrupted(name == ".h5"))
    try:
        train(loaded)
    except ValueError:
        return "no, `fit` raises"
    pairs = zip(uninterrupted(), loaded.get_weights(), strict=True)
    return yes(all(np.array_equal(a, b) for a, b in pairs))


def masks(name):
    """Dropout's masks continue"""

    def code():
        return build(keras.layers.Dropout(0.5, seed=1))

    net = code()
    net(x, training=True)
    loaded = trip(name, net, code)
    return yes(np.allclose(net(x, training=True), loaded(x, training=True), atol=1e-5))


@functools.cache
def opened_elsewhere():
    """Return the formats that a process opens which does not know the class."""
    code = "import keras, tensorflow as tf\n"
    net = build(block())
    for name, (path, save, load) in FORMATS.items():
        if load not in FROM_CODE:
            path = f"{TEMPORARY.name}/{path}"
            save(net, path)
            load = {"SavedModel": "tf.saved_model.load"}.get(name)
            load = load or "keras.saving.load_model"
            code += f"try: {load}({path!r}); print({name!r})\nexcept Exception: pass\n"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return run.stdout.split()


def without_code(name):
    """opens without your code"""
    return yes(name in opened_elsewhere())


def flipped(name, payloads):
    """Flip a bit of each payload: what it is, which of its bytes, which bit."""
    net, found = fill(build()), []

    def change(folder):
        for file in filter(Path.is_file, folder.rglob("*")):
            content = bytearray(file.read_bytes())
            for payload, byte, bit in payloads:
                if payload in content:
                    content[content.index(payload) + byte] ^= bit
                    found.append(file)
            file.write_bytes(content)

    try:
        loaded = trip(name, net, change=change)
    except Exception as error:
        return f"yes, `{type(error).__name__}`"
    if not found:
        return "not in the file"
    return "no" if not predicts(net, loaded) else "harmless"


def flipped_array(name):
    """detects a flipped bit in an array"""
    variance = fill(build()).get_layer("bn").moving_variance
    return flipped(name, [(np.asarray(variance).tobytes(), 3, 0x40)])


def flipped_setting(name):
    """detects a flipped bit in `epsilon`"""
    constant = np.float32(EPSILON).tobytes()
    return flipped(name, [(str(EPSILON).encode(), 2, 8), (constant, 3, 0x40)])


PARTS = {
    "arrays": (sequential, functional, own, own_list, own_list_in_list, normalization),
    "model": (
        *(architecture, settings, own_settings, policy, own_policy),
        *(flags, model_flag, own_flags, compile_settings, compiled_with_mse),
    ),
    "training": (
        *(optimizer, scaled_optimizer, frozen_inside, other_flags),
        *(exact_resume, masks),
    ),
    "files": (without_code, flipped_array, flipped_setting),
}
# A SavedModel has no layers and no optimizer to ask.
OF_MODELS = {*PARTS["training"], *PARTS["model"][5:]} - {other_flags}


def cell(row, name):
    """Return the words for a row and a format."""
    if name == "SavedModel" and row in OF_MODELS:
        return "no"
    try:
        found = row(name)
    except RAISES:
        call = {"Checkpoint": "restore", ".h5": "load_model"}[name]
        return f"no, `{call}` raises"
    if name == "Checkpoint" and found == "no" and row("listed") == "yes":
        return "with `arrays=`"
    return found


if __name__ == "__main__":
    cells = {
        part: {row.__doc__: {name: cell(row, name) for name in FORMATS} for row in rows}
        for part, rows in PARTS.items()
    }
    print(json.dumps(cells))
