"""Variables that Keras 2 tracked and Keras 3 does not."""

import tensorflow as tf

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {
    "trouble/keras_2/add_update.py": "Norm calls_of report Ported",
    "trouble/keras_2/tf_variable.py": "Norm build report Kept holds_variable",
}


@proof("trouble/keras_2/tf_variable.py:untracked")
def untracked(recipe, member):
    model, _ = compare.trained(member)
    assert recipe["untracked"](model) == []
    norms = compare.norms_of(model)
    for layer, value in zip(
        (norms[0], norms[-1], model),
        (tf.Variable(1.0), {"of": [tf.Variable(1.0)]}, (1, tf.Variable(1.0))),
        strict=True,
    ):
        name = f"own_{len(recipe['untracked'](model))}"
        count = len(model.variables)
        setattr(layer, name, value)
        assert f"{layer.name}.{name}" in recipe["untracked"](model)
        assert len(model.variables) == count, "it is tracked"
