"""All of a compiled model through a checkpoint, and what is refused."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.zoo import compare, members
from tests.zoo.core import proof

SHOWS = {
    # The first is part of restore.
    "save/checkpoint.py": "set_apart Net compiled_and_built train_step",
}


class HeadFirst(members.ResNet):
    """The same names of attributes, created in another order."""

    def __init__(self, **kwargs):
        keras.Model.__init__(self, **kwargs)
        self.head = keras.layers.Dense(3, activation="softmax")
        block = members.ResidualBlock
        self.stages = [[block(8), block(8)], [block(16), block(16)]]


class Pair(keras.Model):
    """Two layers that have no other name than that of their attribute."""

    def __init__(self, *attributes):
        super().__init__()
        for attribute in attributes:
            setattr(self, attribute, keras.layers.BatchNormalization())

    def call(self, x):
        return self.left(x) - self.right(x**2)


def towers(*keys):
    """Return two models in a dict of outputs; their layers have the same names."""
    inputs, outputs = keras.Input((4,)), {}
    for name, key in zip(["first", "second"], keys, strict=True):
        parts = [keras.Input((4,)), keras.layers.BatchNormalization(name="bn")]
        outputs[key] = keras.Sequential(parts, name=name)(inputs)
    model = keras.Model(inputs, outputs)
    model.compile("sgd", dict.fromkeys(keys, "mse"))
    return model


def fixed(trainable):
    """Return a layer without gamma and beta, frozen or not, and nothing to train."""
    norm = keras.layers.BatchNormalization(center=False, scale=False)
    norm.trainable = trainable
    model = keras.Sequential([keras.Input((4,)), norm])
    model.compile("sgd", "mse")
    return model


def inside(compiled):
    """Return a model with an optimizer of its own in it, which has taken steps."""
    inner = pair("left", "right")
    inner.optimizer.iterations.assign(7)
    if not compiled:
        inner.optimizer = None
    inputs = keras.Input((4,))
    model = keras.Model(inputs, inner(inputs))
    model.compile("sgd", "mse")
    return model, inner


def interrupted(checkpoint):
    """Return a ``tf.train.Checkpoint`` of which that by name is interrupted."""

    def make(**parts):
        if "model" in parts:
            raise KeyboardInterrupt
        return checkpoint(**parts)

    return make


def pair(*attributes):
    """Return a compiled, built pair with random arrays."""
    model = Pair(*attributes)
    model.compile("sgd", "mse")
    model(np.ones((1, 4), "float32"))
    for weight in model.weights:
        weight.assign(np.random.uniform(1, 2, weight.shape))
    return model


def arrays_of(model):
    """Return all arrays of a model and its optimizer."""
    variables = [*model.variables, *model.optimizer.variables]
    return [compare._array(variable) for variable in variables]


def saved(recipe, member):
    """Save a trained model, and write down all of it."""
    tf.config.experimental.enable_op_determinism()
    model, _ = compare.trained(member, epochs=1)
    before = compare.state(model)
    path = recipe["checkpoint_of"](model).save("checkpoints/net")
    moved = compare.changed(before, compare.state(model))
    assert not moved, moved
    np.savez("arrays.npz", *arrays_of(model))
    np.savez("outputs.npz", *compare.predictions(model, member.data()[0]))
    return model, path


def further(member, model):
    """Train for another epoch."""
    x, y = member.data()
    model.fit(x, y, batch_size=member.batch_size, verbose=0, shuffle=False)


def holds(file, arrays):
    """Assert that a list of arrays is equal to that of a file."""
    expected = np.load(file)
    assert len(arrays) == len(expected.files)
    for i, array in enumerate(arrays):
        np.testing.assert_array_equal(array, expected[f"arr_{i}"], err_msg=file)


def restored(recipe, member, path):
    """Restore into other models, and compare all of them."""
    tf.config.experimental.enable_op_determinism()
    x, _ = member.data()
    alone = compare.other(member)
    own = [compare._array(variable) for variable in alone.optimizer.variables]
    if "normalization" in member.traits:
        alone.predict(x, verbose=0)  # traced with another mean and variance
    flags = [layer.trainable for layer in compare.layers_of(alone)]
    recipe["restore"](alone, path, arrays_only=True)
    holds("outputs.npz", compare.predictions(alone, x))
    assert flags == [layer.trainable for layer in compare.layers_of(alone)]
    now = [compare._array(variable) for variable in alone.optimizer.variables]
    assert all(map(np.array_equal, own, now)), "the optimizer has changed"
    if "normalization" in member.traits:
        predicted = keras.tree.flatten(alone.predict(x, verbose=0))
        for array, right in zip(predicted, compare.predictions(alone, x), strict=True):
            np.testing.assert_allclose(array, right, rtol=1e-4, atol=1e-4)
    # For inference, with other flags as well.
    alone = member.build()
    alone.trainable = False
    recipe["restore"](alone, path, arrays_only=True)
    holds("outputs.npz", compare.predictions(alone, x))
    alone.compile(member.optimizer(), member.loss)
    assert not int(alone.optimizer.iterations), "of the file, not the new one"

    model = compare.other(member)
    checkpoint = recipe["restore"](model, path)
    holds("arrays.npz", arrays_of(model))
    holds("outputs.npz", compare.predictions(model, x))
    assert checkpoint.save("again/net") == "again/net-2"  # it goes on counting
    return model


def refused(recipe, model, path, kind, words, **options):
    """Assert that restoring raises, and return whether the model is as before."""
    before = [compare._array(variable) for variable in model.variables]
    with pytest.raises(kind, match=words):
        recipe["restore"](model, path, **options)
    after = [compare._array(variable) for variable in model.variables]
    return all(map(np.array_equal, before, after))


@proof("save/checkpoint.py:checkpoint_of")
def checkpoint_of(recipe, member):
    model, path = saved(recipe, member)
    restored(recipe, member, path)
    further(member, model)
    np.savez("further.npz", *arrays_of(model))
    unbuilt = keras.Sequential([keras.layers.BatchNormalization()])
    unbuilt.compile("adam", "mse")
    with pytest.raises(ValueError, match="no arrays yet"):
        recipe["checkpoint_of"](unbuilt)


@checkpoint_of.in_a_new_process
def checkpoint_of_elsewhere(recipe, member):
    model = restored(recipe, member, tf.train.latest_checkpoint("checkpoints"))
    further(member, model)
    holds("further.npz", arrays_of(model))


@proof("save/checkpoint.py:restore")
def restore(recipe, member):
    _, path = saved(recipe, member)
    unlike = compare.other(member)
    assert refused(recipe, unlike, None, FileNotFoundError, "no checkpoint")
    # A layer that was trained is frozen now, or the other way round.
    model = compare.other(member)
    layer = compare.norms_of(model)[-1]
    layer.trainable = not layer.trainable
    model.compile(member.optimizer(), member.loss)
    trained = [variable.trainable for variable in model.variables]
    if trained != [variable.trainable for variable in compare.other(member).variables]:
        words = "trainable layers"
        assert refused(recipe, model, path, ValueError, words)
    # An optimizer with as many arrays, of the same shapes, as the member's own.
    model = compare.other(member)
    adam = isinstance(member.optimizer(), keras.optimizers.Adam)
    other_kind = keras.optimizers.Adamax if adam else keras.optimizers.RMSprop
    model.compile(other_kind(), member.loss)
    assert refused(recipe, model, path, ValueError, "saved with the optimizer")
    if "outputs" in member.traits:
        # Another key of an output gives the layers another order.
        model = member.build()
        outputs = {"kind": model.output["kind"], "amount": model.output["size"]}
        model = keras.Model(model.inputs, outputs)
        loss = {"kind": member.loss["kind"], "amount": member.loss["size"]}
        model.compile(member.optimizer(), loss)
        for only in [True, False]:
            words = "in another order"
            assert refused(recipe, model, path, ValueError, words, arrays_only=only)
    # Not built, or fewer arrays than there are in the file.
    for part in [keras.Sequential(), keras.layers.Dense(2)]:
        words = "other arrays"
        assert refused(recipe, part, path, ValueError, words, arrays_only=True)
    if member.name.startswith("ResNet class"):
        model = HeadFirst()
        model(member.data()[0][:1])
        for only in [True, False]:
            model.compile(member.optimizer(), member.loss)
            kinds = (ValueError, AssertionError, tf.errors.OpError)
            refused(recipe, model, path, kinds, None, arrays_only=only)
    # Only the names of attributes tell that the layers have changed places.
    pair_path = recipe["checkpoint_of"](pair("left", "right")).save("pair/net")
    recipe["restore"](pair("left", "right"), pair_path)
    for only in [True, False]:
        model, words = pair("right", "left"), "the layers are in another order"
        refused(recipe, model, pair_path, ValueError, words, arrays_only=only)
    # Only the path of a model in the model tells that an output was renamed.
    towers_path = recipe["checkpoint_of"](towers("kind", "size")).save("towers/net")
    recipe["restore"](towers("kind", "size"), towers_path)
    for only in [True, False]:
        model, words = towers("kind", "amount"), "in another order"
        assert refused(recipe, model, towers_path, ValueError, words, arrays_only=only)
    # A frozen layer that has no array to train.
    fixed_path = recipe["checkpoint_of"](fixed(False)).save("fixed/net")
    recipe["restore"](fixed(False), fixed_path)
    words = "trainable layers"
    assert refused(recipe, fixed(True), fixed_path, ValueError, words)
    # The optimizer of a model in the model stays, and one that comes later.
    inside_path = recipe["checkpoint_of"](inside(True)[0]).save("inside/net")
    for compiled in [True, False]:
        model, inner = inside(compiled)
        if compiled:
            inner.optimizer.iterations.assign(3)
        recipe["restore"](model, inside_path, arrays_only=True)
        if not compiled:
            inner.compile("sgd", "mse")
        assert int(inner.optimizer.iterations) == 3 * compiled
    # Also if it is interrupted while they are apart.
    model, inner = inside(True)
    optimizers = model.optimizer, inner.optimizer
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(tf.train, "Checkpoint", interrupted(tf.train.Checkpoint))
        recipe["restore"](model, inside_path, arrays_only=True)
    assert optimizers == (model.optimizer, inner.optimizer)
    with open("path.json", "w", encoding="utf-8") as file:
        json.dump(path, file)


@restore.in_a_new_process
def restore_elsewhere(recipe, member):
    with open("path.json", encoding="utf-8") as file:
        restored(recipe, member, json.load(file))
