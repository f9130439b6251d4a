"""The first operation that is not finite, in models whose loss is NaN."""

import keras
import numpy as np

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {"trouble/symptoms/loss_is_nan.py": "build norm out"}


@proof("trouble/symptoms/loss_is_nan.py:first_nan")
def first_nan(recipe, member):
    find = recipe["first_nan"]
    x, y = member.data()
    # The scaled loss of the first steps overflows: the page says to turn it off.
    settings = {"auto_scale_loss": False} if "mixed" in member.traits else {}

    # It trains as `fit` does, and leaves nothing behind that raises.
    keras.utils.set_random_seed(0)
    plain = compare.compiled(member, **settings)
    expected = plain.fit(x, y, verbose=0, shuffle=False).history["loss"]
    keras.utils.set_random_seed(0)
    model = compare.compiled(member, **settings)
    validation = {"validation_data": (x, y)}
    assert find(model, x, y, shuffle=False, **validation) is None
    same = [a.numpy() for a in plain.weights], [a.numpy() for a in model.weights]
    if "mixed" not in member.traits:
        for one, other in zip(*same, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-2, atol=1e-3)
    keras.utils.set_random_seed(0)
    again = compare.compiled(member, **settings).fit(x, y, verbose=0, shuffle=False)
    np.testing.assert_allclose(again.history["loss"], expected, rtol=1e-4)

    # Rows are looked through first, and nothing is trained.
    step = int(model.optimizer.iterations)
    flat = [np.array(a) for a in keras.tree.flatten(x)]
    floats = [a for a in flat if a.dtype.kind == "f"]
    if floats:
        floats[0][0] = np.inf
        assert find(model, keras.tree.pack_sequence_as(x, flat), y) == "inputs"
        assert int(model.optimizer.iterations) == step

    # So are the variables. `fit` goes on without a check.
    layer = next(n for n in compare.norms_of(model) if n.center or n.scale)
    array = layer.beta if layer.center else layer.gamma
    array.assign(np.full(array.shape, np.nan))
    assert find(model, x, y) == array.path
    history = model.fit(x, y, verbose=0, **validation).history
    assert np.isnan([history["loss"], history["val_loss"]]).all()
