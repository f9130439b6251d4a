"""The callback that adds the moving statistics to the logs."""

import csv

import keras
import numpy as np

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {"verify/watch_statistics.py": "build"}


def deviations(layer):
    """Return the moving mean and the standard deviation of a layer."""
    return (
        layer.moving_mean.numpy(),
        np.sqrt(layer.moving_variance.numpy() + layer.epsilon),
    )


def distance(now, other):
    (mean, deviation), (mean_2, deviation_2) = now, other
    shift = np.max(np.abs(mean_2 - mean) / deviation)
    return max(shift, np.max(np.abs(deviation_2 / deviation - 1)))


@proof("verify/watch_statistics.py:WatchStatistics")
def watch_statistics(recipe, member):
    x, y = member.data()
    inputs = [x]
    before, after = [], []
    keep = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: before.append(
            [deviations(layer) for layer in compare.norms_of(watched)]
        ),
        on_epoch_end=lambda epoch, logs: after.append(
            [deviations(layer) for layer in compare.norms_of(watched)]
        ),
    )

    def train(model, callbacks):
        keras.utils.set_random_seed(1)
        return model.fit(
            x, y, member.batch_size, 2, 0, callbacks=callbacks, shuffle=False
        ).history

    # It changes nothing.
    plain, watched = compare.compiled(member), compare.compiled(member)
    train(plain, [])
    late = keras.callbacks.CSVLogger("late.csv")
    early = keras.callbacks.CSVLogger("early.csv")
    watch = recipe["WatchStatistics"](inputs)
    history = train(watched, [early, watch, late, keep])
    one, other = compare.state(plain).values(), compare.state(watched).values()
    for value, same in zip(one, other, strict=True):
        if isinstance(value, np.ndarray):
            np.testing.assert_allclose(value, same, 1e-4, 1e-4)

    # Two values for each layer, and what they say.
    layers = recipe["batch_norms"](watched)
    order = {id(layer): i for i, layer in enumerate(compare.norms_of(watched))}
    assert set(map(id, layers)) == set(order)
    for what in ["moved", "gap"]:
        names = [name for name in history if name.endswith(f" {what}")]
        assert len(names) == len(layers) == len(set(names)), names
    names = [name for name in history if name.endswith(" moved")]
    for layer, name in zip(layers, names, strict=True):
        assert name.startswith(layer.moving_mean.path.rpartition("/")[0])
        found = [
            distance(now[order[id(layer)]], was[order[id(layer)]])
            for now, was in zip(after, before, strict=True)
        ]
        np.testing.assert_allclose(history[name], found, 1e-4, 1e-6)
        assert layer.trainable or history[name] == [0, 0]

    # The gap of the last epoch, and none after the statistics are those of the batch.
    own = [deviations(layer) for layer in layers]
    recipe["estimate_again"](watched, inputs, layers)
    gaps = [name for name in history if name.endswith(" gap")]
    for layer, was, name in zip(layers, own, gaps, strict=True):
        np.testing.assert_allclose(
            history[name][-1], distance(was, deviations(layer)), 1e-2, 1e-3
        )
    logs = {}
    watch.on_epoch_begin(0, logs)
    watch.on_epoch_end(0, logs)
    # mixed precision: the activations behind a layer have few digits.
    assert all(0 <= value < 1e-3 for value in logs.values()), logs

    # Callbacks before it do not have them, those behind it do.
    columns = []
    for name in ["early.csv", "late.csv"]:
        with open(name, newline="") as file:
            columns.append(set(next(csv.reader(file))))
    assert not set(gaps) & columns[0] and set(gaps) < columns[1]

    # Without batches, no gap.
    history = train(watched, [recipe["WatchStatistics"]()])
    assert not any(name.endswith(" gap") for name in history)
    assert set(names) < set(history)
