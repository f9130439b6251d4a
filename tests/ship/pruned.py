"""What pages on pruning and clustering offer for pasting, on models of tf_keras."""

from tests.zoo import core


def reference(net, batches):
    """Return mean and variance of two layers around a kernel, by NumPy."""
    import numpy as np

    first, dense, last = (net.get_layer(name) for name in ("first", "dense", "last"))
    gamma, beta = first.get_weights()[:2]
    kernel, found = dense.get_weights()[0], []
    for batch in np.float64(batches):
        scaled = (batch - batch.mean(0)) / np.sqrt(batch.var(0) + first.epsilon)
        after = (scaled * gamma + beta) @ kernel
        found.append([batch.mean(0), batch.var(0), after.mean(0), after.var(0)])
    means = [np.mean(arrays, axis=0) for arrays in zip(*found, strict=True)]
    return {first: means[:2], last: means[2:]}


def net_of(*between, **mode):
    """Return a net of tf_keras, and a model that calls it with a mode."""
    import tf_keras

    layers = tf_keras.layers
    tf_keras.utils.set_random_seed(0)
    inputs = x = layers.Input((6,))
    x = layers.BatchNormalization(name="first", momentum=0.9)(x)
    x = layers.Dense(4, use_bias=False, name="dense")(x)
    for layer in between:
        x = layer(x)
    x = layers.BatchNormalization(name="last", momentum=0.8)(x)
    net = tf_keras.Model(inputs, x)
    outer = layers.Input((6,))
    return net, tf_keras.Model(outer, net(outer, **mode))


def refused(call, *arguments) -> bool:
    """Return whether a call raises a ValueError."""
    try:
        call(*arguments)
    except ValueError:
        return True
    return False


def estimated() -> list:
    """Compare `estimate` with NumPy: flat, nested, frozen; return what differs."""
    import numpy as np
    import tf_keras

    estimate = core.load("trouble/litert/cluster_statistics.py:estimate")["estimate"]
    batches = np.random.default_rng(0).normal(5, 3, (3, 32, 6)).astype("float32")
    problems = []
    for name in ("flat", "nested", "frozen"):
        net, outer = net_of()
        net.trainable = name != "frozen"
        kept = [array.copy() for array in net.get_layer("dense").get_weights()]
        estimate(net if name == "flat" else outer, batches)
        for layer, wanted in reference(net, batches).items():
            for found, array in zip(layer.get_weights()[2:], wanted, strict=True):
                if not np.allclose(found, array, rtol=1e-4, atol=1e-4):
                    problems.append(f"{name}: {layer.name}")
        settings = [(n.momentum, n.trainable) for n in net.layers[1::2]]
        if settings != [(0.9, name != "frozen"), (0.8, name != "frozen")]:
            problems.append(f"{name}: settings {settings}")
        if not np.array_equal(kept, net.get_layer("dense").get_weights()):
            problems.append(f"{name}: kernel")
    if not refused(estimate, net_of(training=False)[1], batches):
        problems.append("a net that is not reached")
    if not refused(estimate, net_of(tf_keras.layers.Dropout(0.5))[0], batches):
        problems.append("Dropout")
    return problems


def wrapped() -> list:
    """Ask `trained_only` for each mix of flags; return what differs."""
    import tensorflow_model_optimization as tfmot

    recipe = core.load("trouble/litert/prune_frozen.py:trained_only")["trained_only"]
    tool = tfmot.sparsity.keras
    schedule, problems = tool.ConstantSparsity(0.5, 0), []
    for trains in (True, False):
        net, outer = net_of()
        net.get_layer("dense").trainable = trains
        kinds = [type(layer).__name__ for layer in recipe(net, schedule).layers]
        if kinds.count("PruneLowMagnitude") != trains:
            problems.append(kinds)
        if recipe(outer, schedule).layers[1] is not net:
            problems.append("a model inside")
    return problems
