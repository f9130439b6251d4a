"""What a checkpoint of a model and its arrays holds, and the flags beside it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.zoo import compare
from tests.zoo.core import proof
from tests.zoo.proofs.trouble_checkpoint import arrays_of, equal, varied

SHOWS = {
    "trouble/callbacks/dropout_masks.py": "report",
    "trouble/checkpoint/other_frozen.py": "two_norms passes",
    "trouble/own_classes/containers.py": (
        "Kept build_model by_keras by_weights by_checkpoint row"
    ),
}


def in_training(model, x):
    """Return the outputs of a call in training mode."""
    return [compare._array(a) for a in keras.tree.flatten(model(x, training=True))]


def through_arrays(recipe, member):
    """Save all of a model and restore it into another; return the first."""
    model = varied(member, 1)
    before = compare.state(model)
    path = recipe["checkpoint_of"](model).save("whole/net")
    assert not compare.changed(before, compare.state(model))
    loaded = varied(member, 2)
    flags = [layer.trainable for layer in compare.layers_of(loaded)]
    assert not all(equal(arrays_of(model), arrays_of(loaded)))
    recipe["checkpoint_of"](loaded).restore(path).assert_consumed()
    assert all(equal(arrays_of(model), arrays_of(loaded)))
    assert flags == [layer.trainable for layer in compare.layers_of(loaded)]
    compare.assert_same_predictions(model, loaded, member.data()[0])

    # A model that has no arrays yet holds none, and the assertion says so.
    unbuilt = keras.Sequential([keras.layers.BatchNormalization()])
    with pytest.raises(AssertionError, match="[Uu]nresolved|not bound|Found"):
        recipe["checkpoint_of"](unbuilt).restore(path).assert_consumed()
    return model


@proof("trouble/checkpoint/other_frozen.py:checkpoint_of")
def moments_follow_the_order(recipe, member):
    model = through_arrays(recipe, member)
    path = recipe["checkpoint_of"](model).save("whole/net")
    # With other flags, the arrays are right, too, and moments are not, or it raises.
    kinds = (keras.layers.Dense, keras.layers.Conv2D)
    layers = [e for e in compare.layers_of(model) if isinstance(e, kinds)]
    if not layers[-1].trainable:
        return
    loaded = member.build()
    other = [e for e in compare.layers_of(loaded) if isinstance(e, kinds)]
    other[-1].trainable = False
    loaded.compile(member.optimizer(), member.loss)
    loaded.optimizer.build(loaded.trainable_variables)
    with pytest.raises(AssertionError):
        recipe["checkpoint_of"](loaded).restore(path).assert_consumed()
    assert all(equal(model.variables, loaded.variables))


@proof("trouble/callbacks/dropout_masks.py:checkpoint_of")
def masks_go_on(recipe, member):
    x, _ = member.data()
    model = through_arrays(recipe, member)
    in_training(model, x)  # draws masks and moves the statistics
    recipe["checkpoint_of"](model).save("masks/net")
    np.savez("arrays.npz", *arrays_of(model))
    np.savez("next.npz", *in_training(model, x))


@masks_go_on.in_a_new_process
def masks_go_on_elsewhere(recipe, member):
    x, _ = member.data()
    path = tf.train.latest_checkpoint("masks")
    model = varied(member, 3)
    recipe["checkpoint_of"](model).restore(path).assert_consumed()
    arrays, outputs = np.load("arrays.npz"), np.load("next.npz")
    assert all(equal(arrays_of(model), [arrays[name] for name in arrays.files]))
    for i, array in enumerate(in_training(model, x)):
        right = outputs[f"arr_{i}"]
        np.testing.assert_allclose(array, right, rtol=1e-4, atol=1e-5)
    if {"dropout", "noise"} & member.traits:  # the counts decide
        recipe["checkpoint_of"](model).restore(path).assert_consumed()
        seeds = {id(variable) for variable in model.weights}
        for variable in model.variables:
            if id(variable) not in seeds:
                variable.assign(variable + 5)
        array = in_training(model, x)[0]
        assert not np.allclose(array, outputs["arr_0"], rtol=1e-4, atol=1e-5)


@proof("trouble/own_classes/containers.py:with_arrays")
def with_arrays(recipe, member):
    model, fresh = varied(member, 1), varied(member, 2)
    before = compare.state(model)
    assert recipe["with_arrays"](model, fresh) is fresh
    assert not compare.changed(before, compare.state(model))
    assert all(equal(arrays_of(model), arrays_of(fresh)))
    compare.assert_same_predictions(model, fresh, member.data()[0])


@proof("trouble/checkpoint/other_frozen.py:flags_of")
def flags_of(recipe, member):
    model = compare.compiled(member)
    before = compare.state(model)
    saved = recipe["flags_of"](model)
    assert not compare.changed(before, compare.state(model))
    assert saved == updated_in_fit(model, member)
    flags = tf.Variable(saved)
    path = tf.train.Checkpoint(flags=flags, model=model).save("flags/net")
    key = "flags/.ATTRIBUTES/VARIABLE_VALUE"
    in_file = tf.train.load_variable(path, key)
    assert np.array_equal(in_file, recipe["flags_of"](member.build()))
    assert np.array_equal(in_file, recipe["flags_of"](model)), "after fit"

    # Each layer that has arrays of its own to train, frozen or thawed alone. An array
    # may belong to two layers, as the kernel in SpectralNormalization: the last counts.
    layers = [each for each in compare.layers_of(model) if each._trainable_variables]
    for layer in layers[:: max(1, len(layers) // 8)]:
        layer.trainable = not layer.trainable
        inside = {
            id(variable)
            for each in layer._flatten_layers()
            for variable in each._trainable_variables
        }
        expected = [
            layer.trainable if id(variable) in inside else was
            for variable, was in zip(model.variables, saved, strict=True)
        ]
        assert expected != saved
        assert recipe["flags_of"](model) == expected, layer.name
        layer.trainable = not layer.trainable
        assert recipe["flags_of"](model) == saved, layer.name
    layers[len(layers) // 2].trainable = not layers[len(layers) // 2].trainable
    assert recipe["flags_of"](model) == updated_in_fit(model, member)
    model.trainable = False
    assert not any(recipe["flags_of"](model))


def updated_in_fit(model, member):
    """Return which variables an optimizer gets to update in a step of fit."""
    updated = set()

    class Noting(keras.optimizers.SGD):
        def update_step(self, gradient, variable, learning_rate):
            updated.add(id(variable))
            return super().update_step(gradient, variable, learning_rate)

    model.compile(Noting(0.0), member.loss)
    x, y = keras.tree.map_structure(lambda array: array[:4], member.data())
    model.fit(x, y, verbose=0)
    return [id(v) in updated or id(v.value) in updated for v in model.variables]
