"""Arrays by name, as in a checkpoint of TensorFlow 1, and the layer of its programs.

TensorFlow 1 builds no member: the checkpoints are composed of the members' arrays. What
TensorFlow 1.15.5 wrote itself is on the pages.
"""

import numpy as np
import tensorflow as tf

from tests.zoo import compare
from tests.zoo.core import NotFor, proof

SHOWS = {
    "rescue/tf1_checkpoint.py": "build",
    "rescue/tf1_code.py": "net train dense",
    "rescue/tf1_gone.py": "says waiting of_slim module",
}
# Kernels as TF-Slim calls them, statistics as the first helpers did.
THEN = {"kernel": "weights", "bias": "biases", "moving_mean": "mean/EMA"}
AVERAGE = "ExponentialMovingAverage"


def checkpoint(path, arrays):
    """Write arrays by name, as a Saver of TensorFlow 1 does."""
    names, values = zip(*arrays.items(), strict=True)
    empty = [""] * len(names)
    tf.raw_ops.SaveV2(
        prefix=path, tensor_names=names, shape_and_slices=empty, tensors=values
    )


def refuses(read, model, *arguments, **settings):
    """Return what a recipe says as it refuses, and changes nothing."""
    before = compare.state(model)
    try:
        read(model, *arguments, **settings)
    except ValueError as error:
        assert not compare.changed(before, compare.state(model))
        return str(error)
    raise AssertionError("it did not refuse")


@proof("rescue/tf1_checkpoint.py:read_named")
def read_named(recipe, member):
    if "normalization" in member.traits:
        raise NotFor("TensorFlow 1 had no Normalization layer")
    read = recipe["read_named"]
    model, _ = compare.trained(member, epochs=1)
    new = compare.other(member)
    scopes, arrays, moved = {}, {}, {}
    for i, (weight, target) in enumerate(zip(model.weights, new.weights, strict=True)):
        layer, _, kind = weight.path.rpartition("/")
        scope = f"net/{layer}"
        scopes[target.path.rpartition("/")[0]] = scope
        name = f"{scope}/{THEN.get(kind, kind) if i % 2 else kind}"
        assert name not in arrays, "two arrays have one path"
        arrays[name] = compare._array(weight)
        if weight.trainable:
            moved[f"{name}/{AVERAGE}"] = arrays[name] + 1
    slots = {f"{name}/Adam": 0 * array for name, array in arrays.items()}
    counters = {"global_step": np.int64(7), "beta1_power": np.float32(0.9)}
    checkpoint("whole", {**arrays, **moved, **slots, **counters})

    read(new, "whole", scopes)
    for weight, array in zip(new.weights, arrays.values(), strict=True):
        np.testing.assert_array_equal(compare._array(weight), array)
    x = member.data()[0]
    compare.assert_same_predictions(new, model, x)
    read(new, "whole", scopes, averaged=True)
    for weight, (name, array) in zip(new.weights, arrays.items(), strict=True):
        average = moved.get(f"{name}/{AVERAGE}", array)
        np.testing.assert_array_equal(compare._array(weight), average)

    statistics = ("mean/EMA", "moving_mean", "moving_variance")
    some = {k: v for k, v in arrays.items() if not k.endswith(statistics)}
    checkpoint("trainable", some)
    said = refuses(read, new, "trainable", scopes)
    assert "moving_variance: not in the file" in said, said
    said = refuses(read, new, "whole", {})
    assert "not in the model" in said, said
    checkpoint("more", {**arrays, "head/weights": np.ones(3, "float32")})
    said = refuses(read, new, "more", scopes)
    assert said.endswith("head/weights: not in the model"), said
    read(new, "more", scopes, without="head/")
    compare.assert_same_predictions(new, model, x)
    said = refuses(read, new, "more", scopes, averaged=True, without="head/")
    assert "no averages in the file" in said, said


@proof("rescue/tf1_code.py:batch_normalization")
def batch_normalization(recipe, member):
    model, _ = compare.trained(member, epochs=1)
    v1 = recipe["v1"] = tf.compat.v1  # as above the function
    for layer in compare.norms_of(model):
        if layer.dtype_policy.name != "float32":
            raise NotFor("tf.layers had no mixed precision")
        depth = layer.moving_mean.shape[0]
        between = [1] * (layer.input_spec.ndim - 2)
        x = np.random.normal(3, 2, (8, *between, depth)).astype("float32")
        arrays = {v.name: v.numpy() for v in layer.weights}
        with tf.Graph().as_default(), v1.Session() as session:
            inputs = v1.placeholder(tf.float32, (None, *between, depth))
            mode = v1.placeholder(tf.bool, ())
            outputs = recipe["batch_normalization"](
                inputs, mode, "bn", layer.momentum, layer.epsilon
            )
            for variable in v1.global_variables():
                name = variable.op.name.removeprefix("bn/")
                start = np.full(depth, float(name == "gamma"), "float32")
                variable.load(arrays.get(name, start), session)
            updates = v1.get_collection(v1.GraphKeys.UPDATE_OPS)
            # In inference mode the updates change nothing.
            plain, _ = session.run([outputs, updates], {inputs: x, mode: False})
            session.run(updates, {inputs: np.full_like(x, np.nan), mode: False})
            then = session.run(v1.global_variables("bn/moving"))
            np.testing.assert_array_equal(then[0], arrays["moving_mean"])
            np.testing.assert_array_equal(then[1], arrays["moving_variance"])
            trained, _ = session.run([outputs, updates], {inputs: x, mode: True})
            then = session.run(v1.global_variables("bn/moving"))
        now = layer(x, training=False)
        np.testing.assert_allclose(plain, now, 1e-4, 1e-4)
        layer.trainable = True
        now = layer(x, training=True)
        np.testing.assert_allclose(trained, now, 1e-3, 1e-3)
        moved_now = [layer.moving_mean, layer.moving_variance]
        for array, moved in zip(then, moved_now, strict=True):
            np.testing.assert_allclose(array, moved, 1e-4, 1e-5)
