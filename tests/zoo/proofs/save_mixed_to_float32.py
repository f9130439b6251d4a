"""A mixed model, read from its file into float32."""

import keras
import numpy as np

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {
    "save/mixed_to_float32.py": "make_model arrays_equal judge Half mixed_layers",
}


@proof("save/mixed_to_float32.py:in_float32")
def in_float32(recipe, member):
    for policy in ["mixed_float16", "mixed_bfloat16"]:
        keras.config.set_dtype_policy(policy)
        keras.utils.set_random_seed(0)
        model = member.build()
        random = np.random.default_rng(4)
        for layer in compare.norms_of(model):
            shape = layer.moving_mean.shape
            layer.moving_mean.assign(random.normal(0, 0.5, shape))
            layer.moving_variance.assign(random.uniform(0.5, 1.5, shape))
        model.save("mixed.keras")
        np.savez("arrays.npz", *model.get_weights())
        for there in [policy, "float32"]:
            keras.config.set_dtype_policy(there)
            check(recipe, member)
            assert keras.config.dtype_policy().name == there


def check(recipe, member):
    """Compare with the model that is built in float32 and has the same arrays."""
    loaded = recipe["in_float32"]("mixed.keras")
    layers = compare.layers_of(loaded)
    assert {layer.compute_dtype for layer in layers} <= {"float32"}
    expected = np.load("arrays.npz")
    for i, array in enumerate(loaded.get_weights()):
        np.testing.assert_array_equal(array, expected[f"arr_{i}"])
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    right = member.build()
    right.load_weights("mixed.keras")
    keras.config.set_dtype_policy(policy)
    compare.assert_same_predictions(loaded, right, member.data()[0], 1e-5)


@in_float32.in_a_new_process
def in_float32_elsewhere(recipe, member):
    check(recipe, member)
