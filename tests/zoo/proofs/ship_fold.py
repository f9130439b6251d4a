"""A model whose BatchNormalization is folded away computes what it computed."""

import keras
import numpy as np

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {
    "ship/fold.py": "read_graph sources_in obstacle folded equal seconds",
    "trouble/fold/padding.py": "build fold_into_next report with_padding",
}

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


def far(model, x):
    """Give the BatchNormalization layers arrays as trained ones, far from 0 and 1."""
    random = np.random.default_rng(5)
    for layer in compare.norms_of(model):
        layer.momentum = 0.1
        if layer.scale:
            layer.gamma.assign(random.uniform(0.5, 1.5, layer.gamma.shape))
        if layer.center:
            layer.beta.assign(random.uniform(-1, 1, layer.beta.shape))
    model(x, training=True)


@proof("ship/fold.py:fold")
def fold(recipe, member):
    x, _ = member.data()
    model, _ = compare.trained(member, epochs=1)
    far(model, x)
    before = compare.state(model)
    try:
        copy, left = recipe["fold"](model)
    except ValueError as error:
        assert "subclassed" in member.traits
        assert str(error) == f"{model.name} is neither functional nor Sequential"
        return "… is neither functional nor Sequential"
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
        spread = np.sqrt(layer.moving_variance.numpy())
        layer.moving_mean.assign(layer.moving_mean + spread)
    pairs = zip(
        compare.predictions(model, x), compare.predictions(copy, x), strict=True
    )
    differ = [not np.allclose(a, b, atol=tolerance) for a, b in pairs]
    assert any(differ) == bool(folded), differ
