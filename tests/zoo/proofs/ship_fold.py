"""A model whose BatchNormalization is folded away computes what it computed."""

import keras
import numpy as np

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {"ship/fold.py": "read_graph sources_in obstacle folded equal seconds"}

# How many layers of a member fold; of those that stay, what is said.
FOLDED = {
    "sequential": 2,
    "functional": 2,
    "one_thread": 2,
    "float16": 2,
    "bfloat16": 2,
    "mobilenet": 52,
    "efficientnet": 49,
    "time_distributed": 0,
    "custom": 0,
    "custom_built": 0,
    "unet": 7,
    "recurrent": 0,
    "two_inputs": 2,
    "two_outputs": 1,
    "without_scale": 1,
    "spectral": 0,
    "shared": 0,
    "normalization": 1,
}
TOLERANCES = {"mixed_float16": 1e-2, "mixed_bfloat16": 1e-1}


def far(model):
    """Give all arrays of the BatchNormalization layers values far from 0 and 1."""
    random = np.random.default_rng(5)
    for layer in compare.norms_of(model):
        for variable in layer.variables:
            low, high = (0.4, 2) if "mean" not in variable.name else (-1, 1)
            variable.assign(random.uniform(low, high, variable.shape))


@proof("ship/fold.py:fold")
def fold(recipe, member):
    x, _ = member.data()
    model, _ = compare.trained(member, epochs=1)
    far(model)
    before = compare.state(model)
    try:
        copy, left = recipe["fold"](model)
    except ValueError as error:
        assert "subclassed" in member.traits
        assert str(error) == f"{model.name} is neither functional nor Sequential"
        return "says that the model is neither functional nor Sequential"
    tolerance = TOLERANCES.get(member.policy, 1e-4)
    compare.assert_same_predictions(model, copy, x, tolerance)
    assert not compare.changed(before, compare.state(model))

    # What is gone, and what is named: all layers, and none twice.
    norms, stay = compare.norms_of(model), compare.norms_of(copy)
    assert {id(layer) for layer in stay} <= {id(layer) for layer in norms}
    folded = len(norms) - len(stay)
    assert folded == FOLDED[member.build.__name__], f"{folded} folded, {left}"
    assert bool(left) == bool(stay), left

    # It is a model as others are: it goes through a file.
    copy.save("folded.keras")
    loaded = keras.saving.load_model("folded.keras")
    compare.assert_same_predictions(copy, loaded, x)

    # The comparison has teeth.
    for layer in norms:
        layer.moving_mean.assign(layer.moving_mean + 3)
    pairs = zip(
        compare.predictions(model, x), compare.predictions(copy, x), strict=True
    )
    differ = [not np.allclose(a, b, atol=tolerance) for a, b in pairs]
    assert any(differ) == bool(folded), differ
