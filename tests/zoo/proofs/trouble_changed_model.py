"""Changes to a model that was trained already, on all of the zoo."""

import keras
import numpy as np

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {
    "trouble/changed_model/momentum.py": "norm_and_model step",
    "trouble/changed_model/pop.py": "new_head_moves ends_like",
}


@proof("trouble/changed_model/momentum.py:set_momentum")
def set_momentum(recipe, member):
    model, _ = compare.trained(member)
    x, y = member.data()
    norms = [layer for layer in compare.norms_of(model) if layer.trainable]
    fit = {"batch_size": member.batch_size, "shuffle": False, "verbose": 0}
    start = [v.numpy() for v in model.variables]

    def means_after(momentum):
        """Return the means after an epoch from the same start."""
        keras.utils.set_random_seed(3)
        for variable, array in zip(model.variables, start, strict=True):
            variable.assign(array)
        if momentum is not None:
            before = compare.state(model)
            recipe["set_momentum"](model, momentum)
            changed = compare.changed(before, compare.state(model))
            assert all("momentum" in key for key in changed), changed
        model.fit(x, y, **fit)
        return [layer.moving_mean.numpy() for layer in norms]

    kept, steps = means_after(None), int(model.optimizer.iterations.numpy())
    # A momentum of 1 moves nothing, one of 0.99 (or the member's own) does.
    still = means_after(1.0)
    assert int(model.optimizer.iterations.numpy()) == steps
    for layer, mean in zip(norms, still, strict=True):
        i = next(i for i, v in enumerate(model.variables) if v is layer.moving_mean)
        np.testing.assert_array_equal(mean, start[i])
    assert not norms or any((a != b).any() for a, b in zip(kept, still, strict=True))
