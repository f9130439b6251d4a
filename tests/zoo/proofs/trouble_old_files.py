"""What lets a model compute as the Keras that wrote its file did."""

import keras
import numpy as np

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {
    "trouble/old_files/hard_sigmoid.py": "old_hard_sigmoid off",
    # Run on files that Keras 1 and early Keras 2 write for the page.
    "trouble/old_files/beta_first.py": "build_model off array_of load_by_array_name",
    "trouble/old_files/checkpoint_optimizer.py": (
        "Net compiled loss_after_a_step with_slots"
    ),
    "trouble/old_files/old_config.py": "Shift join",
    "trouble/old_files/running_std.py": "build_model off std_to_variance",
    "trouble/old_files/sequential.py": "mended mend",
    "trouble/old_files/batchnormalizationv1.py": "mend",
    "trouble/old_files/theano_kernels.py": "build_model off load flip turn both",
}
NAMES = ("activation", "recurrent_activation")


def of_keras_2(x):
    """hard_sigmoid as Keras 2.2.4 computes it."""
    return keras.ops.minimum(keras.ops.maximum(x * 0.2 + 0.5, 0.0), 1.0)


def with_activation(member, function):
    """Return the member's model with a function in each second place for one, and how
    many these are."""
    keras.utils.set_random_seed(0)
    model = member.build()
    layers = {id(layer): layer for layer in compare.layers_of(model)}.values()
    places = [(e, name) for e in layers for name in NAMES if name in vars(e)]
    for layer, name in places[::2]:
        setattr(layer, name, function)
    return model, len(places[::2])


@proof("trouble/old_files/hard_sigmoid.py:compute_as_keras_2")
def compute_as_keras_2(recipe, member):
    x, _ = member.data()
    right, count = with_activation(member, of_keras_2)
    model, _ = with_activation(member, keras.activations.hard_sigmoid)
    before = compare.state(model)
    assert recipe["compute_as_keras_2"](model) == count > 0
    assert not compare.changed(before, compare.state(model))
    compare.assert_same_predictions(right, model, x, 1e-5)
    assert recipe["compute_as_keras_2"](model) == 0
    model.save("today.keras")
    np.savez("outputs.npz", *compare.predictions(model, x))


@compute_as_keras_2.in_a_new_process
def compute_as_keras_2_elsewhere(recipe, member):
    if member.traits & {"custom", "subclassed"}:
        return  # The code of a class makes its layers, with the activation it names.
    model = keras.saving.load_model("today.keras")
    outputs = np.load("outputs.npz").values()
    found = compare.predictions(model, member.data()[0])
    for one, right in zip(found, outputs, strict=True):
        np.testing.assert_allclose(one, right, 1e-5, 1e-5)
