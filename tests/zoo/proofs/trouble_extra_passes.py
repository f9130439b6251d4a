"""Calls in training mode that move no statistics, on all of the zoo."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {
    "trouble/extra_passes/dropout_before.py": "trained too_large",
    "trouble/extra_passes/second_pass.py": "build right step_of report",
    "trouble/extra_passes/recompute.py": "Block trained times calls_in",
    "trouble/extra_passes/resizing.py": "build moves report Net Passes report_export",
}


def outputs_in_training_mode(model, x, traced):
    """Return the outputs as arrays; the same random numbers each time."""
    keras.utils.set_random_seed(3)
    call = tf.function(model) if traced else model
    return [a.numpy() for a in keras.tree.flatten(call(x, training=True))]


@proof("trouble/extra_passes/second_pass.py:statistics_kept")
def statistics_kept(recipe, member):
    model, _ = compare.trained(member)
    x, _ = member.data()
    start = [v.numpy() for v in model.variables]
    norms = compare.norms_of(model)
    momenta = [layer.momentum for layer in norms]
    for traced in [False, True]:
        outputs = []
        for kept in [True, False]:
            for variable, array in zip(model.variables, start, strict=True):
                variable.assign(array)
            before = compare.state(model)
            if kept:
                with recipe["statistics_kept"](model):
                    outputs.append(outputs_in_training_mode(model, x, traced))
            else:
                outputs.append(outputs_in_training_mode(model, x, traced))
            moved = [
                key
                for key in compare.changed(before, compare.state(model))
                if key.endswith(("moving_mean", "moving_variance"))
            ]
            # The statistics of frozen layers stay in any case.
            expected = 0 if kept else 2 * sum(layer.trainable for layer in norms)
            assert len(moved) == expected, moved
            assert [layer.momentum for layer in norms] == momenta
        for one, other in zip(*outputs, strict=True):
            np.testing.assert_allclose(one, other, 1e-3, 1e-3)
    with pytest.raises(KeyError), recipe["statistics_kept"](model):
        raise KeyError
    assert [layer.momentum for layer in norms] == momenta
    norms[0].renorm = True
    with pytest.raises(ValueError, match="renorm"):
        recipe["statistics_kept"](model).__enter__()
    assert [layer.momentum for layer in norms] == momenta
