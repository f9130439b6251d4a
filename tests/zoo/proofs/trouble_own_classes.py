"""Layers inside a class keep the policy of the class."""

import copy
from pathlib import Path

import keras
import numpy as np

from tests.zoo import compare
from tests.zoo.core import NotFor, proof

SHOWS = {
    "trouble/own_classes/policy_inside.py": "Block saved_and_loaded show_policies",
    # Classes that the reader writes, without the mistake.
    "trouble/own_classes/build.py": "Unit NoBuild Net report build_unit",
    "trouble/own_classes/class_unknown.py": (
        "Block Net load through_pickle predictions_equal report RegisteredNet"
    ),
    "trouble/own_classes/clone_model.py": (
        "predictions_equal report Doubled doubled from_config "
        "clone_and_set_weights through_pickle deepcopy_and_assign"
    ),
    "trouble/own_classes/epsilon_in_code.py": "Fixed save report Block",
    "trouble/own_classes/get_config.py": "WithoutSuper report WithSuper",
    "trouble/own_classes/lambda.py": (
        "build_model by_weights by_checkpoint report in_lambda Normalize"
    ),
    "trouble/own_classes/layers_in_call.py": "NewEachCall MadeAtFirstCall report Block",
    "trouble/own_classes/nested_lists.py": (
        "Nested build_model save_as_before_3_15 report Flat"
    ),
    "trouble/own_classes/no_kwargs.py": "Block",
    "trouble/own_classes/plain_object.py": "build_model report Helper Hidden Found",
}


def other_policy(member):
    return "mixed_float16" if member.policy == "float32" else "float32"


def in_front(recipe, member, policy):
    """Return the member's model behind the recipe's layer, which has another policy."""
    x, _ = member.data()
    inputs = keras.tree.map_structure(lambda a: keras.Input(a.shape[1:]), x)
    first, *rest = keras.tree.flatten(inputs)
    keras.config.set_dtype_policy(policy)
    layer = recipe["KeepsPolicy"]()
    outputs = layer(first)
    keras.config.set_dtype_policy(member.policy)
    passed = keras.tree.pack_sequence_as(inputs, [outputs, *rest])
    return keras.Model(inputs, member.build()(passed)), layer


def policies_of(model, name):
    """Return the policies of the recipe's layer and of the one inside it."""
    layer = model.get_layer(name)
    assert layer.bn.compute_dtype == layer.compute_dtype
    assert layer.bn.variable_dtype == layer.variable_dtype
    return [layer.dtype_policy.name, layer.bn.dtype_policy.name]


@proof("trouble/own_classes/policy_inside.py:KeepsPolicy")
def keeps_policy(recipe, member):
    if "masks" in member.traits:
        raise NotFor("its inputs are token numbers")
    x, _ = member.data()
    policy = other_policy(member)
    model, layer = in_front(recipe, member, policy)
    assert policies_of(model, layer.name) == [policy, policy]
    model(x, training=True)  # moves the statistics
    assert np.any(layer.bn.moving_mean.numpy())
    copies = [copy.deepcopy(model)]
    if "subclassed" not in member.traits:
        copies.append(keras.models.clone_model(model))
    for each in copies:
        assert policies_of(each, layer.name) == [policy, policy]
    model.save("model.keras")
    np.savez("outputs.npz", *compare.predictions(model, x))
    np.savez("arrays.npz", *layer.get_weights())
    Path("name.txt").write_text(layer.name, "utf-8")

    # Each policy, as an argument, which is not that of the process.
    for each in ["float32", "mixed_float16", "mixed_bfloat16", "float64"]:
        inputs = keras.Input(keras.tree.flatten(x)[0].shape[1:])
        layer = recipe["KeepsPolicy"](dtype=each)
        one = keras.Model(inputs, layer(inputs))
        one.save("one.keras")
        for again in [one, copy.deepcopy(one), keras.saving.load_model("one.keras")]:
            assert policies_of(again, layer.name) == [each, each]


@keeps_policy.in_a_new_process
def keeps_policy_elsewhere(recipe, member):
    x, _ = member.data()
    model = keras.saving.load_model("model.keras")
    name, policy = Path("name.txt").read_text("utf-8"), other_policy(member)
    assert policies_of(model, name) == [policy, policy]
    arrays, outputs = np.load("arrays.npz"), np.load("outputs.npz")
    for i, array in enumerate(model.get_layer(name).get_weights()):
        np.testing.assert_array_equal(array, arrays[f"arr_{i}"])
    for i, array in enumerate(compare.predictions(model, x)):
        np.testing.assert_array_equal(array, outputs[f"arr_{i}"])
