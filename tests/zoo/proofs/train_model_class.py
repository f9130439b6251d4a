"""The step of a model class, and the callback that watches the statistics."""

import keras
import numpy as np

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {
    "train/model_class.py": "Net OwnLoss OwnBoth OwnNet statistics fit results "
    "WithoutTraining Outer OuterWithTraining outcome WithHead Keywords NotPassedOn "
    "Block ForgetfulStep row ReturnsLoss LeakyTest as_trained changed HardCoded "
    "DefaultTrue same yes"
}


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


@proof("train/model_class.py:OwnStep")
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


@proof("train/model_class.py:StatisticsMove")
def statistics_move(recipe, member):
    def train(model, callbacks):
        x, y = member.data()
        keras.utils.set_random_seed(1)
        model.fit(x, y, member.batch_size, 2, 0, callbacks=callbacks, shuffle=False)

    # It changes nothing, and lets sound models pass, frozen layers included.
    plain, watched = compare.compiled(member), compare.compiled(member)
    train(plain, [])
    train(watched, [recipe["StatisticsMove"]()])
    one, other = compare.state(plain).values(), compare.state(watched).values()
    for value, same in zip(one, other, strict=True):
        if isinstance(value, np.ndarray):
            np.testing.assert_allclose(value, same, 1e-4, 1e-4)

    # One layer stands still, with statistics that are far from 0 and 1 by now.
    still = [layer for layer in compare.norms_of(watched) if layer.trainable][-1]
    call = still.call

    def in_inference(inputs, training=None, mask=None):
        return call(inputs, training=False, mask=mask)

    still.call = in_inference
    watched.compile(member.optimizer(), member.loss)
    path = still.moving_mean.path.rpartition("/")[0]
    try:
        train(watched, [recipe["StatisticsMove"]()])
    except RuntimeError as error:
        assert str(error) == f"statistics did not move: [{path!r}]", error
    else:
        raise AssertionError("it did not notice")
    train(watched, [recipe["StatisticsMove"](fixed=[still])])
    still.trainable = False
    watched.compile(member.optimizer(), member.loss)
    train(watched, [recipe["StatisticsMove"]()])
