"""The measurement that names why a loaded model is worse."""

import keras
import numpy as np
import pytest

from tests.zoo import compare
from tests.zoo.core import NotFor, load, proof

SHOWS = {
    "bn_diagnosis.py": "_cause _arrays_that_differ _score_of _batches _views _orders "
    "_fit"
}


def agreement(targets, outputs):
    """Return 1 where outputs are what the saved model gave, and less elsewhere."""
    pairs = zip(keras.tree.flatten(targets), keras.tree.flatten(outputs), strict=True)
    return 1 - max(
        np.abs(one.astype("float64") - other.astype("float64")).max()
        for one, other in pairs
    )


def in_inference(model, x):
    return keras.tree.map_structure(
        lambda output: compare._array(output), model(x, training=False)
    )


@proof("bn_diagnosis.py:measure")
def measure(recipe, member):
    model, _ = compare.trained(member)
    x = member.data()[0]
    targets = in_inference(model, x)
    load("bn_tools.py:write_record")["write_record"]("model.npz", model, x)
    model.save_weights("model.weights.h5")

    def loaded():
        net = compare.compiled(member)
        net.load_weights("model.weights.h5")
        return net

    def measured(net, after=x, labels=targets, **options):
        before = compare.state(net)
        options = {"good": 1 - 1e-3, "record": "model.npz", **options}
        training, service = (x, targets), (after, labels)
        result = recipe["measure"](net, training, service, agreement, **options)
        assert not compare.changed(before, compare.state(net)), "it changed the model"
        return result["cause"]

    assert measured(loaded()) == "nothing"
    assert measured(loaded(), record=None) == "nothing"

    net = loaded()
    for layer in compare.norms_of(net):
        layer.moving_mean.assign(np.zeros(layer.moving_mean.shape))
        layer.moving_variance.assign(np.ones(layer.moving_variance.shape))
    assert measured(net) == "the moving statistics were lost"

    net = loaded()
    for layer in compare.norms_of(net):
        layer.moving_mean.assign(layer.moving_mean + 1)
    assert measured(net, good=-np.inf) == "the record has other statistics"

    net = loaded()
    weight = net.trainable_variables[0]
    weight.assign(weight.numpy() + 1)
    assert measured(net) == "one part was not restored"

    net = loaded()
    for layer in compare.norms_of(net):
        layer.epsilon = 10.0
    assert measured(net) == "settings or state that are no arrays"

    net = loaded()
    compare.norms_of(net)[0].moving_mean.assign(
        np.full(compare.norms_of(net)[0].moving_mean.shape, np.nan)
    )
    assert measured(net) == "values that are not finite"

    # Other labels, and other rows, as another channel order would give. Deep models
    # with random weights may answer the same to all rows: nobody can tell there.
    service = "the inputs, the labels or the mode of the service"
    labels = keras.tree.map_structure(lambda array: array + 1, targets)
    assert measured(loaded(), labels=labels) == service
    other = keras.tree.map_structure(lambda array: array[::-1], x)
    apart = 1 - agreement(targets, in_inference(model, other))
    if apart > 1e-5:
        assert measured(loaded(), after=other, good=1 - apart / 2) == service

    net = loaded()
    said = measured(net, serve=lambda rows: net(rows, training=True))
    assert said == "the service runs in training mode", said

    # Batches in a list, in a dataset and in one that never ends.
    net = loaded()
    halves = [
        tuple(
            keras.tree.map_structure(lambda a, s=part: a[s], tree)
            for tree in (x, targets)
        )
        for part in (slice(0, 4), slice(4, None))
    ]
    result = recipe["measure"](net, halves, halves, agreement, good=0.99)
    assert result["cause"] == "nothing"
    import tensorflow as tf

    endless = tf.data.Dataset.from_tensor_slices((x, targets)).batch(4).repeat()
    with pytest.raises(ValueError, match="never ends"):
        recipe["measure"](net, endless, endless, agreement)

    # A state that no list of variables holds stays, too.
    net = keras.Sequential(
        [
            keras.Input((5, 2), batch_size=4),
            keras.layers.LSTM(3, stateful=True),
            keras.layers.BatchNormalization(),
        ]
    )
    rows = np.ones((4, 5, 2), "float32"), np.ones((4, 3), "float32")
    result = recipe["measure"](net, rows, rows, agreement)
    assert not any(state.numpy().any() for state in net.layers[0].states)
    assert not result["found"], result["found"]

    # Several inputs in a tuple are inputs, all of them.
    inputs = keras.Input((2,)), keras.Input((2,))
    outputs = keras.layers.BatchNormalization()(keras.layers.add(inputs))
    net = keras.Model(inputs, outputs)
    rows = (np.ones((4, 2), "float32"),) * 2, np.ones((4, 2), "float32")
    result = recipe["measure"](net, rows, rows, agreement)
    assert not result["found"], result["found"]


@measure.in_a_new_process
def measure_elsewhere(recipe, member):
    x = member.data()[0]
    net = compare.compiled(member, built=False)
    targets = in_inference(net, x)
    result = recipe["measure"](
        net, (x, targets), (x, targets), agreement, record="model.npz"
    )
    named = ("nothing was restored", "another run's file", "one part was not")
    assert result["cause"].startswith(named), result["cause"]


@proof("bn_diagnosis.py:explain")
def explain(recipe, member):
    x = member.data()[0]
    if isinstance(x, dict) or x.dtype.kind != "f":
        raise NotFor("the inputs are not one array of measurements")
    say = recipe["explain"]
    assert say(x, x) == "not at all"
    assert say(x, x[..., ::-1]).startswith("channels in the order")
    assert say(x, x / 255).startswith("times [0.0039")
    assert say(x, 3 * x - 2).startswith("times [3. ") and "plus" in say(x, 3 * x - 2)
    assert say(x, x[::-1]).startswith("in another way")
    constant = np.concatenate([x, np.full_like(x[..., :1], 5)], axis=-1)
    assert say(constant, constant) == "not at all"
    assert say(constant, constant / 255).startswith("times [0.0039")
    with pytest.raises(ValueError, match="all rows are alike"):
        say(np.ones_like(x), x)
    noise = np.random.default_rng(0).normal(0, 0.05 * x.std(), x.shape)
    assert say(x, x + noise).endswith("compression or gamma")
    if x.ndim == 4:
        assert say(x, x.swapaxes(1, 2)) == "rows and columns exchanged"
        assert say(x, x[:, ::-1]) == "upside down"
        assert say(x, x[:, :, ::-1]) == "mirrored"
        assert say(x, np.moveaxis(x, -1, 1)) == "channels first"
        both = say(x, x[:, :, ::-1, ::-1] * 255)
        assert both.startswith("mirrored, channels in the order"), both
        assert say(x, x[:, 1:, 1:]).startswith("in another way")
