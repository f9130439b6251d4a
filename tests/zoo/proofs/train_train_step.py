"""The step of a model class."""

import keras
import numpy as np

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {"train/train_step.py": "Net OwnLoss OwnBoth results"}


def with_step(recipe, model):
    """Give a model that is built already the steps of the recipe."""
    kind = type(model)
    own = type(kind.__name__, (recipe["OwnStep"], kind), {})
    object.__setattr__(model, "__class__", own)
    return model


def settings_of(member):
    """Return what there is to report: plain and weighted metrics, and weights."""
    if "outputs" in member.traits:
        return {"metrics": {"kind": ["accuracy"], "size": ["mae"]}}, None
    _, y = member.data()
    # One for each value of the loss: for each row, or for each pixel.
    weights = np.random.default_rng(3).uniform(0, 2, y.shape[:-1] or y.shape)
    return {"metrics": ["accuracy"], "weighted_metrics": ["accuracy"]}, weights


def reports(member, prepare):
    """Train, evaluate and call both one-batch methods; return all they report."""
    settings, weights = settings_of(member)
    keras.utils.set_random_seed(0)
    model = prepare(member.build())
    model.compile(optimizer=member.optimizer(), loss=member.loss, **settings)
    model.optimizer.build(model.trainable_variables)
    x, y = member.data()
    history = model.fit(
        x,
        y,
        batch_size=member.batch_size,
        epochs=2,
        verbose=0,
        shuffle=False,
        sample_weight=weights,
        validation_data=(x, y) if weights is None else (x, y, weights),
    ).history
    first = keras.tree.map_structure(lambda array: array[:3], (x, y))
    some = {} if weights is None else {"sample_weight": weights[:3]}
    on_batch = {
        name: getattr(model, name)(*first, return_dict=True, **some)
        for name in ("test_on_batch", "train_on_batch")
    }
    return model, history, on_batch


@proof("train/train_step.py:OwnStep")
def own_step(recipe, member):
    model, history, on_batch = reports(member, lambda model: model)
    own, own_history, own_on_batch = reports(
        member, lambda model: with_step(recipe, model)
    )
    assert type(own).train_step is recipe["OwnStep"].train_step
    compare.assert_same_history(history, own_history)
    assert min(history["loss"]) > 0
    for name, values in on_batch.items():
        compare.assert_same_history(values, own_on_batch[name])
    one, other = compare.state(model), compare.state(own)
    assert len(one) == len(other)
    for (key, value), (_, own_value) in zip(one.items(), other.items(), strict=True):
        if isinstance(value, np.ndarray):
            np.testing.assert_allclose(value, own_value, 1e-4, 1e-4, err_msg=key)
        else:
            assert value == own_value, key
