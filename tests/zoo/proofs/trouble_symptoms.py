"""What the symptom pages measure in a model that was loaded, or that predicts."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.zoo import compare
from tests.zoo.core import load, proof

SHOWS = {
    "trouble/find_the_cause.py": (
        "build with_fault predict accuracy AlwaysTraining noisy scaled"
    ),
    "trouble/symptoms/chance_after_load_weights.py": (
        "build load load_another skip load_trainable load_exchanged"
    ),
    "trouble/symptoms/different_every_run.py": (
        "compared build load normalize called in_training_mode predicted with_noise"
    ),
    "trouble/symptoms/every_prediction_is_nan.py": "share build with_value",
    "trouble/symptoms/one_sample_and_batch.py": (
        "cut close called in_training_mode scaled_per_batch one_range "
        "with_dropout padded"
    ),
    "trouble/symptoms/other_device.py": "build with_arrays",
    "trouble/symptoms/same_prediction.py": "noting build with_value",
}


def inference(model, x):
    return model(x, training=False)


def training(model, x):
    return model(x, training=True)


def put_back(variables, arrays):
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def filled(variable, value, where=...):
    """Put a value into an array, and return what was there."""
    before = variable.numpy()
    array = before.copy()
    array[where] = value
    variable.assign(array)
    return before


def fitting(member):
    """Return the trained model with statistics that fit, in frozen layers as well."""
    model, _ = compare.trained(member)
    again = load("bn_tools.py:estimate_again")["estimate_again"]
    again(model, [member.data()[0]], compare.norms_of(model))
    return model


def is_number(x):
    return not isinstance(x, dict) and x.dtype.kind == "f"


@proof("trouble/symptoms/chance_after_load_weights.py:after_loading")
def after_loading(recipe, member):
    x, y = member.data()
    trained, _ = compare.trained(member)
    trained.save_weights("model.weights.h5")
    model = compare.other(member)

    def load(model):
        model.load_weights("model.weights.h5")

    def load_trainable(model):
        values = [v.numpy() for v in trained.trainable_variables]
        put_back(model.trainable_variables, values)

    def measured(load, y=y):
        put_back(model.variables, start)
        load(model)
        loaded = compare.state(model)
        arrays = [v.numpy() for v in model.weights]
        came = sum(not np.array_equal(*p) for p in zip(ones, arrays, strict=True))
        put_back(model.variables, start)
        try:
            found = recipe["after_loading"](model, load, x, y)
        finally:
            assert not compare.changed(loaded, compare.state(model))
        assert found["arrays"] == f"{came} of {len(arrays)}"
        return came, found

    start = [v.numpy() for v in model.variables]
    ones = [v.numpy() for v in model.weights]
    if isinstance(y, dict) or y.ndim > 1:
        with pytest.raises(ValueError, match="one output with a column") as refused:
            measured(load)
        return str(refused.value)
    came, found = measured(load)
    outputs = model.predict(x, batch_size=len(y), verbose=0)
    classes = outputs.argmax(axis=-1)
    assert np.isclose(found["accuracy"], np.mean(classes == y), atol=0.05)
    in_training = np.asarray(training(model, x)).argmax(axis=-1)
    assert np.isclose(found["training mode"], np.mean(in_training == y), atol=0.05)
    right = [np.sum((classes == c) & (y == k)) for c in range(3) for k in range(3)]
    best = np.reshape(right, (3, 3)).max(axis=1).sum() / len(y)
    best *= len(set(classes)) > 1
    assert np.isclose(found["renamed"], best, atol=0.05)

    # Each cause changes what tells it apart, and nothing else.
    _, renamed = measured(load, (y + 1) % 3)
    assert renamed["arrays"] == found["arrays"]
    assert renamed["renamed"] == found["renamed"]
    assert measured(lambda model: None)[0] == 0
    _, part = measured(load_trainable)
    assert 0 < int(part["arrays"].split()[0]) < came
    with pytest.raises(ValueError, match="not the shapes"):
        recipe["after_loading"](model, load, x, np.eye(3)[y])


@proof("trouble/symptoms/different_every_run.py:look_twice")
def look_twice(recipe, member):
    fitting(member).save_weights("model.weights.h5")
    x, y = member.data()
    made = []

    def make():
        made.append(member.build())
        made[-1].load_weights("model.weights.h5")
        return made[-1]

    def frozen():
        model = make()
        model.trainable = False
        return model

    def predicted(model, data):
        return model.predict(data, verbose=0)

    def noisy(model, x):
        outputs = predicted(model, x)
        return keras.tree.map_structure(
            lambda a: a + np.random.normal(size=a.shape), outputs
        )

    def said(*asked):
        return " ".join(recipe["look_twice"](*asked).values())

    for predict in [inference, predicted]:
        assert said(make, predict, x) == "equal equal equal stay"
    one, other = made[-2:]
    compare.assert_same_predictions(one, other, x)
    assert said(member.build, inference, x) == "differ equal equal stay"
    assert said(make, noisy, x) == "equal differ differ stay"
    # In a deep model, what Dropout draws may be too small to outlast rounding once the
    # outputs are sorted.
    drawn = ["differ differ", "differ equal"]
    drawn = drawn if "dropout" in member.traits else ["equal equal"]
    assert said(make, training, x) in [f"equal {each} moved" for each in drawn]
    if "noise" not in member.traits:
        # What is frozen does not move; Dropout still draws.
        assert said(frozen, training, x) in [f"equal {each} stay" for each in drawn]
    data = tf.data.Dataset.from_tensor_slices(x).shuffle(99).batch(member.batch_size)
    assert said(make, predicted, data) == "equal differ equal stay"


def share(values):
    """Return of how many rows something is not finite, row by row."""
    arrays = [np.asarray(a).astype("float32") for a in keras.tree.flatten(values)]
    count = sum(
        any(not np.isfinite(a[i]).all() for a in arrays) for i in range(len(arrays[0]))
    )
    return {0: "none", len(arrays[0]): "all"}.get(count, "some")


@proof("trouble/symptoms/every_prediction_is_nan.py:where_is_it")
def where_is_it(recipe, member):
    model, _ = compare.trained(member, epochs=1)
    x, y = member.data()

    def measured(statistics, others, x=x):
        """Compare with what the model says, and return where predictions break."""
        before = compare.state(model)
        arrays = [v.numpy() for v in model.variables]
        predictions = share(model.predict(x, batch_size=len(y), verbose=0))
        in_training = share(training(model, x))
        put_back(model.variables, arrays)
        found = recipe["where_is_it"](model, x)
        assert not compare.changed(before, compare.state(model))
        assert list(found.values()) == [
            share(x),
            statistics,
            others,
            predictions,
            in_training,
        ], (found, predictions, in_training)
        return predictions, in_training

    assert measured(0, 0) == ("none", "none")
    norms = compare.norms_of(model)
    for layer, name, value in [
        (norms[0], "moving_mean", np.nan),
        (norms[-1], "moving_variance", -1),
    ]:
        variable = getattr(layer, name)
        before = filled(variable, value)
        assert measured(1, 0)[0] == "all"
        variable.assign(before)
    for variable, broken in [
        (model.trainable_variables[-1], "all"),
        (model.optimizer.variables[-1], "none"),
    ]:
        before = filled(variable, np.nan)
        assert measured(0, 1) == (broken, broken)
        variable.assign(before)
    if any(a.dtype.kind == "f" for a in keras.tree.flatten(x)):
        bad = keras.tree.map_structure(np.copy, x)
        keras.tree.flatten(bad)[0][2] = np.nan
        assert measured(0, 0, bad)[0] == "some"
    if member.policy == "mixed_float16":
        assert measured(0, 0, x * 1e5)[0] == "all"


@proof("trouble/symptoms/one_sample_and_batch.py:alone_and_in_a_batch")
def alone_and_in_a_batch(recipe, member):
    model = fitting(member)
    x, y = member.data()
    before = compare.state(model)

    def said(predict, rows=x):
        found = recipe["alone_and_in_a_batch"](model, predict, rows)
        assert not compare.changed(before, compare.state(model))
        return list(found.values())

    alone, _, arrays = said(lambda rows: inference(model, rows))
    assert (alone, arrays) == ("equal", "stay")
    alone, _, arrays = said(lambda rows: training(model, rows))
    assert (alone, arrays) == ("differs", "moved")
    alone, _, _ = said(lambda rows: model.predict(rows, verbose=0))
    assert alone == "equal"
    if isinstance(x, dict):
        return
    # A list of rows, as a service gets them.
    found = said(lambda rows: inference(model, np.stack(rows)), list(x))
    assert found[0] == "equal"
    if is_number(x):

        def scaled(rows):
            return inference(model, (rows - rows.mean(0)) / (rows.std(0) + 1e-3))

        assert said(scaled) == ["differs", "equal", "stay"]


@proof("trouble/symptoms/other_device.py:how_far")
def how_far(recipe, member):
    model, _ = compare.trained(member)
    x, y = member.data()
    say = recipe["how_far"]
    outputs = inference(model, x)
    if isinstance(outputs, dict):
        with pytest.raises(ValueError, match="two arrays of one shape"):
            say(outputs, outputs)
    rows = [keras.tree.map_structure(lambda a, i=i: a[i : i + 1], x) for i in range(9)]
    alone = [keras.tree.flatten(inference(model, row)) for row in rows]
    rounding = {"rounding"} | ({"16 bits"} if "mixed" in member.traits else set())
    for i, expected in enumerate(keras.tree.flatten(outputs)):
        assert say(expected, expected) == ("rounding", 1)
        size, same = say(expected[:9], np.concatenate([a[i] for a in alone]))
        assert size in rounding and same > 0.8, (size, same)
        array = np.asarray(expected)
        assert say(expected, array * 1.001) == ("16 bits", 1)
        assert say(expected, array * 1.1) == ("another computation", 1)
        classes = array.argmax(axis=-1)
        same = np.mean(classes == array.shape[-1] - 1 - classes)
        assert say(expected, array[..., ::-1])[1] == pytest.approx(same, abs=0.1)
        assert say(expected, np.full_like(array, np.nan))[0] == "not finite"
        for wrong in [array[:1], array[..., 0]]:
            with pytest.raises(ValueError, match="two arrays of one shape"):
                say(expected, wrong)


@proof("trouble/symptoms/same_prediction.py:first_constant")
def first_constant(recipe, member):
    model = fitting(member)
    x, y = member.data()

    def said(rows=x, **mode):
        before = compare.state(model)
        found = recipe["first_constant"](model, rows, **mode)
        assert not compare.changed(before, compare.state(model))
        return found

    assert said() == "-"
    # A layer whose call was replaced keeps the replacement.
    model.layers[-1].call = own = model.layers[-1].call
    assert said(training=True) == "-"
    assert vars(model.layers[-1]).pop("call") is own
    # Rows that are all alike are the first thing that is constant.
    alike = keras.tree.map_structure(lambda a: np.repeat(a[:1], 9, axis=0), x)
    assert said(alike) != "-"
    last = [layer for layer in model.layers if layer.trainable_variables][-1]
    values = [v.numpy() for v in last.trainable_variables]
    for variable in last.trainable_variables:
        filled(variable, 0)
    assert said() == said(training=True) == last.name
    put_back(last.trainable_variables, values)
    for layer in compare.norms_of(model):
        if layer not in model.layers:
            continue
        before = filled(layer.moving_variance, 1e12)
        assert said() == layer.name
        layer.moving_variance.assign(before)
        before = filled(layer.moving_mean, np.nan)
        assert said() == layer.name
        layer.moving_mean.assign(before)
        if layer.scale:
            before = filled(layer.gamma, 0)
            assert said() == said(training=True) == layer.name
            layer.gamma.assign(before)
    assert said() == "-"
