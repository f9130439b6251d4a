"""What the traps of training and inference mode offer for pasting."""

import keras
import numpy as np
import pytest

from tests.zoo import compare
from tests.zoo.core import load, proof

SHOWS = {
    "trouble/training_mode/loss_zero.py": "Net losses ReturnsLoss",
    "trouble/training_mode/mc_dropout.py": "report training_true predict",
    # Classes and steps that the reader writes, without the mistake.
    "trouble/training_mode/always_true.py": (
        "Net new yes same row HardCoded DefaultTrue Right"
    ),
    "trouble/training_mode/class_without_training.py": (
        "Base fit WithoutTraining report WithTraining Keywords NotPassedOn Block "
        "ForgetfulStep Step row"
    ),
    "trouble/training_mode/forgotten.py": "build train step statistics",
    "trouble/training_mode/global_flag.py": "changes by_global by_argument",
}
RANDOM = (
    keras.layers.Dropout,
    keras.layers.AlphaDropout,
    keras.layers.GaussianNoise,
)


def arrays_of(outputs):
    """Return outputs of any structure as a list of arrays."""
    arrays = [keras.ops.convert_to_numpy(one) for one in keras.tree.flatten(outputs)]
    return [array.astype("float32") for array in arrays]


def seeds_of(model):
    """Return the variables that the layers draw from which drop or disturb."""
    layers = [e for e in compare.layers_of(model) if isinstance(e, RANDOM)]
    states = {id(e.seed_generator.state): e.seed_generator.state for e in layers}
    return list(states.values())


def samples_of(model, x, n):
    """Return what training mode gives where no BatchNormalization layer is in it.

    Nothing is frozen for that; each layer is called with another argument.
    """

    def in_inference(call):
        return lambda x, training=None, **other: call(x, training=False, **other)

    norms = {id(layer): layer for layer in compare.norms_of(model)}.values()
    for layer in norms:
        layer.call = in_inference(layer.call)
    try:
        return [arrays_of(model(x, training=True)) for _ in range(n)]
    finally:
        for layer in norms:
            del layer.call


class Still(keras.Model):
    """A class that calls a base in inference mode only."""

    def __init__(self, base):
        super().__init__()
        self.base = base

    def call(self, inputs, training=False):
        return self.base(inputs, training=False)


def with_dropout(model, member):
    """Return a model with Dropout behind the member's."""
    x, _ = member.data()
    kind = "int32" if "masks" in member.traits else "float32"
    inputs = keras.tree.map_structure(lambda a: keras.Input(a.shape[1:], dtype=kind), x)
    drop = keras.layers.Dropout(0.3)
    return keras.Model(inputs, keras.tree.map_structure(drop, model(inputs)))


def refuses(recipe, model, x, words):
    """Assert that it raises and moves nothing but masks; return what it says."""
    allowed = tuple(f" {v.path}" for v in seeds_of(model))
    before = compare.state(model)
    with pytest.raises(ValueError, match=words) as refusal:
        recipe["mc_predict"](model, x, n=3)
    moved = compare.changed(before, compare.state(model))
    assert all(key.endswith(allowed) for key in moved), moved
    return refusal.value


def samples_are_right(recipe, member, model):
    """Assert that only masks vary, and that all else of the model is as before."""
    x, _ = member.data()
    seeds = seeds_of(model)
    first = [v.numpy() for v in seeds]
    traced = model.predict(x, verbose=0)
    before = compare.state(model)
    found = recipe["mc_predict"](model, x, n=3)
    moved = compare.changed(before, compare.state(model))
    assert {key.partition(" ")[2] for key in moved} == {v.path for v in seeds}
    for one, other in zip(
        arrays_of(traced), arrays_of(model.predict(x, verbose=0)), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
    # From the same numbers, calls that freeze nothing compute the same.
    for variable, array in zip(seeds, first, strict=True):
        variable.assign(array)
    keras.tree.assert_same_structure(found, traced)
    tolerance = 2e-2 if "mixed" in member.traits else 1e-4
    expected = [np.stack(each) for each in zip(*samples_of(model, x, 3), strict=True)]
    for one, other in zip(arrays_of(found), expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)
        assert not np.array_equal(one[0], one[1]), "nothing varies"


@proof("trouble/training_mode/mc_dropout.py:mc_predict")
def mc_predict(recipe, member):
    x, y = member.data()
    model, _ = compare.trained(member)
    if "noise" in member.traits:
        return refuses(recipe, model, x, "other than BatchNormalization changes")
    # EfficientNet is far from its own statistics after a few batches.
    load("bn_tools.py:estimate_again")["estimate_again"](model, [x])
    compare.norms_of(model)[-1].trainable = False  # one that the reader has frozen
    assert bool(seeds_of(model)) == ("dropout" in member.traits)
    no_masks = "no layer draws: no Dropout, or with training=False"
    still = Still(model)
    still(x)
    refuses(recipe, still, x, no_masks)
    said = None
    if "dropout" in member.traits:
        samples_are_right(recipe, member, model)
        # Where masks are drawn and nothing shows, it does not say that none are.
        kernel = next(v for v in model.weights[::-1] if v.name == "kernel")
        array = kernel.numpy()
        kernel.assign(np.zeros(kernel.shape))
        for one in arrays_of(recipe["mc_predict"](model, x, n=2)):
            np.testing.assert_array_equal(one[0], one[1])
        kernel.assign(array)
    else:
        said = refuses(recipe, model, x, no_masks)
        samples_are_right(recipe, member, with_dropout(model, member))

    # A call that fails leaves the flags and arrays as well.
    before = compare.state(model)
    with pytest.raises(Exception):  # noqa: B017, PT011 - whichever Keras raises
        recipe["mc_predict"](model, np.zeros((2, 1, 1, 1, 1, 1, 1), "float32"), n=1)
    assert not compare.changed(before, compare.state(model))

    # What fit moves afterwards is what it moves without the calls.
    plain = compare.compiled(member)
    compare.norms_of(plain)[-1].trainable = False
    for one, other in zip(plain.variables, model.variables, strict=True):
        one.assign(other)
    for each in (plain, model):
        each.compile(keras.optimizers.SGD(0.01), member.loss)
        each.fit(x, y, batch_size=member.batch_size, verbose=0, shuffle=False)
    for one, other in zip(plain.weights, model.weights, strict=True):
        one, other = compare._array(one), compare._array(other)
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)
    return said


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
