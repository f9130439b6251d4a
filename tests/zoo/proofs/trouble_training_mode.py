"""What the traps of training and inference mode offer for pasting."""

import keras
import numpy as np
import pytest

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {"trouble/training_mode/loss_zero.py": "Net losses ReturnsLoss"}


def with_methods(model, **methods):
    """Give a model that is built already methods of a recipe's class."""
    kind = type(model)
    object.__setattr__(model, "__class__", type(kind.__name__, (kind,), methods))
    return model


@proof("trouble/training_mode/loss_zero.py:UpdatesLoss")
def updates_loss(recipe, member):
    kind = recipe["UpdatesLoss"]
    y = member.data()[1]
    metrics = {"kind": "accuracy"} if isinstance(y, dict) else ["accuracy"]
    plain, history = compare.trained(member, metrics=metrics)
    keras.utils.set_random_seed(0)
    model = member.build()
    with_methods(model, train_step=kind.train_step, report=kind.report)
    model.compile(member.optimizer(), member.loss, metrics=metrics)
    model.optimizer.build(model.trainable_variables)
    x, _ = member.data()
    keras.utils.set_random_seed(1)
    settings = {"batch_size": member.batch_size, "verbose": 0, "shuffle": False}
    own = model.fit(x, y, epochs=2, **settings).history
    assert min(own["loss"]) > 0
    compare.assert_same_history(history, own, 1e-4)
    one, other = compare.state(plain), compare.state(model)
    assert len(one) == len(other)
    for (key, value), (_, own_value) in zip(one.items(), other.items(), strict=True):
        if isinstance(value, np.ndarray):
            np.testing.assert_allclose(value, own_value, 1e-3, 1e-3, err_msg=key)
        else:
            assert value == own_value, key

    # Weights of rows are not for it, and it says so.
    if not isinstance(y, dict):
        weights = np.ones(len(y), "float32")
        with pytest.raises(ValueError, match="too many values to unpack"):
            model.fit(x, y, sample_weight=weights, **settings)
