"""What copies sound statistics from the original file."""

import numpy as np
import pytest

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {"trouble/nan/frozen_base.py": "with_broken_base"}


@proof("trouble/nan/frozen_base.py:statistics_from")
def statistics_from(recipe, member):
    original, _ = compare.trained(member, epochs=1)
    original.save_weights("original.weights.h5")
    model = compare.compiled(member)
    model.load_weights("original.weights.h5")
    sound = compare.state(model)
    assert recipe["statistics_from"](original, model) == []
    assert not compare.changed(sound, compare.state(model))

    # The statistics of two layers break; those of another have only moved.
    norms = compare.norms_of(model)
    hurt = [norms[0], norms[-1]][: len(norms)]
    for layer, name, value in zip(
        hurt, ["moving_mean", "moving_variance"], [np.nan, -1.0], strict=False
    ):
        variable = getattr(layer, name)
        array = variable.numpy()
        array[0] = value
        variable.assign(array)
    moved = norms[1] if len(norms) > 2 else None
    if moved is not None:
        moved.moving_mean.assign(moved.moving_mean + 1)
    before = compare.state(model), compare.state(original)
    copied = recipe["statistics_from"](original, model)
    assert set(copied) == {layer.name for layer in hurt}, copied
    assert len(copied) == len({id(layer) for layer in hurt}), copied
    assert not compare.changed(before[1], compare.state(original))
    left = compare.changed(sound, compare.state(model))
    assert len(left) == (moved is not None), left
    if moved is not None:
        moved.moving_mean.assign(moved.moving_mean - 1)
    else:
        compare.assert_same_predictions(model, original, member.data()[0])

    # It refuses where a weight was trained, or broken, since; and a broken original.
    hurt[0].moving_mean.assign(np.full(hurt[0].moving_mean.shape, np.inf))
    weight = next(w for w in model.weights if "moving_" not in w.name)
    value = weight.numpy()
    for wrong in [value + 1, np.full(value.shape, np.nan)]:
        weight.assign(wrong)
        refuses(recipe, original, model, "was trained since: use repair")
        weight.assign(value)
    layer = compare.norms_of(original)[0]
    layer.moving_mean.assign(hurt[0].moving_mean)
    refuses(recipe, original, model, "the original is broken, too")


def refuses(recipe, original, model, words):
    """Assert that copying raises, and that the model is as before."""
    before = compare.state(model)
    with pytest.raises(ValueError, match=words):
        recipe["statistics_from"](original, model)
    assert not compare.changed(before, compare.state(model))
