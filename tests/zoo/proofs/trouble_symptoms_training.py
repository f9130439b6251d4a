"""What the symptom pages measure in a model that trains, or that was trained."""

import keras
import numpy as np
import pytest

from tests.zoo import compare
from tests.zoo.core import load, proof

SHOWS = {
    "trouble/symptoms/fit_evaluate_predict.py": "trained TrueByDefault",
    "trouble/symptoms/fit_good_evaluate_bad.py": "accuracy trained cut",
    "trouble/symptoms/loss_jumps.py": "compared build into",
    "trouble/symptoms/worse_after_unfreezing.py": "build fit",
}


def loss_of(member):
    """Return the member's loss as a function of targets and outputs."""

    def loss(y, outputs):
        if isinstance(member.loss, dict):
            return sum(one(name, y[name], outputs[name]) for name in member.loss)
        return one(None, y, outputs)

    def one(name, y, outputs):
        function = keras.losses.get(member.loss[name] if name else member.loss)
        return keras.ops.mean(function(y, outputs))

    return loss


def fitting(member):
    """Return the trained model with statistics that fit, in frozen layers as well."""
    model, _ = compare.trained(member)
    again = load("bn_tools.py:estimate_again")["estimate_again"]
    again(model, [member.data()[0]], compare.norms_of(model))
    return model


def evaluated(model, member):
    """Return what ``evaluate`` reports for all rows in one batch."""
    x, y = member.data()
    rows = len(keras.tree.flatten(y)[0])
    return model.evaluate(x, y, batch_size=rows, verbose=0, return_dict=True)["loss"]


def repeats(member):
    """Return whether all that training mode computes, it computes again."""
    return "dropout" not in member.traits


def moves_once(member):
    """Return whether each layer is called once, and takes part in training."""
    name = member.build.__name__
    return "shared" not in member.traits and name != "time_distributed"


@proof("trouble/symptoms/fit_evaluate_predict.py:compare_losses")
def compare_losses(recipe, member):
    x, y = member.data()
    accuracy = {} if isinstance(y, dict) else {"metrics": ["accuracy"]}

    def said(momentum=None, regularizer=False, **fit):
        keras.utils.set_random_seed(0)
        model = compare.compiled(member, **accuracy)
        for layer in compare.norms_of(model):
            layer.momentum = layer.momentum if momentum is None else momentum
        if regularizer:
            model.trainable_variables[0].regularizer = keras.regularizers.L2(9.0)
        found = recipe["compare_losses"](model, x, y, loss_of(member), **fit)
        assert float(model.optimizer.learning_rate) == 0
        outputs = keras.tree.flatten(model.predict(x, verbose=0))
        if min(output.min() for output in outputs) < 1e-6:
            # Rounded outputs have lost the logits, as the page says.
            found["predict"] = found["model(x)"]
        return found

    # Too few steps for the statistics.
    found = said()
    twice = "equal" if repeats(member) else "differs"
    assert found["predict"] == found["model(x)"] == "equal", found
    assert found["rate 0"] == found["training"] == "differs", found
    assert found["twice"] == twice, found
    # Statistics of the one batch that there is.
    fits = "equal" if repeats(member) and moves_once(member) else "differs"
    found = said(momentum=0.0)
    assert found["predict"] == found["model(x)"] == "equal", found
    if repeats(member):  # Dropout may change little.
        assert found["rate 0"] == found["training"] == fits, found
    assert found["twice"] == twice, found
    if not isinstance(y, dict) and fits == "equal":
        # One for each value of the loss: for each row, or for each pixel.
        shape = y.shape[:-1] if y.ndim == 4 else y.shape[:1]
        weights = np.linspace(0, 9, int(np.prod(shape))).reshape(shape)
        found = said(momentum=0.0, sample_weight=weights)
        del found["fit"]
        assert found.pop("rate 0") == "differs" and {*found.values()} == {"equal"}
    found = said(momentum=0.0, regularizer=True)
    assert found["predict"] == found["model(x)"] == "differs", found
    assert not repeats(member) or found["rate 0"] == fits, found

    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    model = compare.compiled(member, optimizer=keras.optimizers.SGD(rate))
    with pytest.raises(TypeError, match="LearningRateSchedule"):
        recipe["compare_losses"](model, x, y, loss_of(member))


@proof("trouble/symptoms/fit_good_evaluate_bad.py:four_scores")
def four_scores(recipe, member):
    model = fitting(member)
    x, y = member.data()
    loss, size = loss_of(member), member.batch_size
    starts = range(0, len(keras.tree.flatten(y)[0]), size)
    batches = [
        keras.tree.map_structure(lambda a, s=start: a[s : s + size], (x, y))
        for start in starts
    ]

    def score(targets, outputs):
        return -float(loss(targets, outputs))

    def measured():
        before = compare.state(model)
        found = recipe["four_scores"](model, batches, score)
        assert not compare.changed(before, compare.state(model))
        predicted = model.predict(x, batch_size=99, verbose=0)
        assert np.isclose(found["evaluate"], score(y, predicted), rtol=2e-3)
        return found

    def in_training(x, y):
        arrays = [v.numpy() for v in model.variables]
        found = score(y, model(x, training=True))
        for variable, array in zip(model.variables, arrays, strict=True):
            variable.assign(array)
        return found

    sound = measured()
    mean = np.mean([in_training(*batch) for batch in batches])
    assert np.isclose(sound["batch"], mean, rtol=1e-3)
    assert np.isclose(sound["together"], in_training(x, y), rtol=1e-3)
    if repeats(member) and moves_once(member):
        assert np.isclose(sound["estimated"], sound["together"], rtol=0.02)
    # Statistics that do not fit are the one thing that is bad.
    for layer in compare.norms_of(model):
        if layer.trainable:
            layer.moving_mean.assign(layer.moving_mean + 9)
    found = measured()
    assert found.pop("evaluate") != sound.pop("evaluate")
    for name in found:
        assert np.isclose(found[name], sound[name], rtol=1e-3), name

    # Interrupted after a call in training mode.
    before, said = compare.state(model), iter([0])

    def interrupted(targets, outputs):
        for first in said:
            return first
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recipe["four_scores"](model, batches, interrupted)
    assert not compare.changed(before, compare.state(model))

    # Nothing to estimate: that is what it says.
    model.trainable = False
    before = compare.state(model)
    with pytest.raises(ValueError, match="no layer to estimate"):
        recipe["four_scores"](model, batches, score)
    assert not compare.changed(before, compare.state(model))


@proof("trouble/symptoms/loss_equal_accuracy_different.py:right")
def right(recipe, member):
    x, y = member.data()
    one = isinstance(y, dict)
    metric = "accuracy" if one or y.ndim == 1 else "binary_accuracy"
    model, _ = compare.trained(member, metrics={"kind": metric} if one else [metric])
    rows = len(keras.tree.flatten(y)[0])
    size = {"batch_size": rows, "verbose": 0}
    found = model.evaluate(x, y, **size, return_dict=True)
    reported = found["kind_accuracy" if one else metric]
    outputs = model.predict(x, **size)
    if one:
        with pytest.raises(ValueError, match="pass the array of one output"):
            recipe["right"](outputs, y, threshold=0.5)
        outputs, y = outputs["kind"], y["kind"]
    counted = recipe["right"](outputs, y, threshold=0.5)
    assert counted.shape == outputs.shape[:-1]
    assert np.isclose(counted.mean(), reported, atol=1e-5)
    if y.ndim == 1:
        for other in [y[:, None], np.eye(3)[y]]:
            again = recipe["right"](outputs, other, threshold=0.5)
            np.testing.assert_array_equal(again, counted)
        # One output: what is above the threshold.
        column, is_first = outputs[:, :1], y == 0
        for targets in [is_first, is_first[:, None], is_first.astype("float32")]:
            counted = recipe["right"](column, targets, threshold=0.4)
            assert counted.shape == (rows,)
            np.testing.assert_array_equal(counted, (column[:, 0] > 0.4) == is_first)
    with pytest.raises(ValueError):
        recipe["right"](outputs, y[:-1], threshold=0.5)


@proof("trouble/symptoms/loss_equal_accuracy_different.py:metrics_of")
def metrics_of(recipe, member):
    y = member.data()[1]
    wanted = ["SparseCategoricalAccuracy", "MeanSquaredError"]
    if isinstance(y, dict):
        rows = keras.metrics.MeanSquaredError(name="weighted")
        given = {"metrics": {"kind": "accuracy"}, "weighted_metrics": {"size": rows}}
    else:
        wanted = ["BinaryAccuracy"] if y.ndim > 1 else wanted[:1]
        given = {"metrics": ["accuracy"]}
    model, _ = compare.trained(member, epochs=1, **given)
    before = compare.state(model)
    assert recipe["metrics_of"](model) == wanted
    assert not compare.changed(before, compare.state(model))


@proof("trouble/symptoms/loss_jumps.py:state_of_training")
def state_of_training(recipe, member):
    model = fitting(member)
    x, y = member.data()
    loss = loss_of(member)

    def measured(model):
        before = compare.state(model)
        found = recipe["state_of_training"](model, x, y, loss)
        assert not compare.changed(before, compare.state(model))
        assert np.isclose(found["inference"], evaluated(model, member), rtol=2e-3)
        return found

    def said(model):
        found = recipe["compared"](saved, measured(model))
        return dict(zip(saved, found, strict=True))

    saved = measured(model)
    steps = 2 * -(-len(keras.tree.flatten(y)[0]) // member.batch_size)
    # In float16, the first steps may be skipped.
    assert steps - 3 * ("float16" in member.policy) <= saved["step"] <= steps
    assert saved["trainable"] == len(model.trainable_variables)
    assert saved["rate"] == pytest.approx(float(member.optimizer().learning_rate))
    model.save("model.keras")
    loaded = keras.saving.load_model("model.keras")
    assert {*said(loaded).values()} == {"equal"}, said(loaded)
    loaded.optimizer.learning_rate = 0.5
    assert said(loaded).pop("rate") == "differs"
    loaded.compile(member.optimizer(), member.loss)
    equal = said(loaded)
    assert equal.pop("step") == "differs" and {*equal.values()} == {"equal"}
    loaded.trainable = False
    frozen = said(loaded)
    assert frozen["inference"] == "equal" and frozen["trainable"] == "differs"
    loaded = keras.saving.load_model("model.keras")
    for layer in compare.norms_of(loaded):
        layer.epsilon = 10.0
    other = said(loaded)
    assert other["inference"] == other["training"] == "differs"
    assert other["step"] == other["rate"] == other["trainable"] == "equal"


@proof("trouble/symptoms/worse_after_unfreezing.py:blame")
def blame(recipe, member):
    model, _ = compare.trained(member)
    x, y = member.data()
    norms = compare.norms_of(model)

    def said(train):
        start = evaluated(model, member)
        arrays = [v.numpy() for v in model.variables]
        train(model)
        after = compare.state(model)
        worse = not evaluated(model, member) <= 1.2 * start
        for variable, array in zip(model.variables, arrays, strict=True):
            variable.assign(array)
        found = recipe["blame"](model, train, x, y, loss_of(member))
        assert not compare.changed(after, compare.state(model))
        for variable, array in zip(model.variables, arrays, strict=True):
            variable.assign(array)
        assert found["trained"] == found["new"] == ("worse" if worse else "no")
        return found["trained"], found["old statistics"]

    def nothing(model):
        pass

    def statistics(value):
        def train(model):
            for layer in norms:
                layer.moving_mean.assign(np.full(layer.moving_mean.shape, value))

        return train

    def weights(value):
        def train(model):
            for variable in model.trainable_variables[-2:]:
                variable.assign(np.full(variable.shape, value))

        return train

    assert said(nothing) == ("no", "no")
    assert said(statistics(np.nan)) == ("worse", "no")
    assert said(weights(np.nan)) == ("worse", "worse")
    assert said(statistics(300.0))[1] == "no"
