"""What a run that is started anew goes on with: counters, the best value, the rows."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {
    "trouble/callbacks/best_overwritten.py": "build Worse Stop train loss_of run",
    "trouble/callbacks/row_order.py": "Spy orders arrays pipeline",
    "trouble/callbacks/counters_forgotten.py": "fit epochs rates forgetting keeping",
    # The functions are the reader's own pipeline.
    "trouble/callbacks/stateful_pipeline.py": (
        "noisy in_python generated noisy_by_number start_run"
    ),
}


@proof("trouble/callbacks/counters_forgotten.py:KeptPlateau")
def kept_plateau(recipe, member):
    # Nothing counts as an improvement, so that two epochs after a pause of three halve
    # the rate. All counters matter: some stops are in the pause.
    settings = {
        "monitor": "loss",
        "factor": 0.5,
        "patience": 2,
        "min_delta": 1e6,
        "cooldown": 3,
    }
    x, y = member.data()
    rates = {}
    for case, stops in {"whole": [8], "halves": [3, 8], "thirds": [2, 4, 8]}.items():
        model, rates[case], start = compare.compiled(member), [], 0
        for stop in stops:
            callback = recipe["KeptPlateau"](f"{case}/plateau.json", **settings)
            history = model.fit(
                x,
                y,
                batch_size=member.batch_size,
                initial_epoch=start,
                epochs=stop,
                callbacks=[callback],
                verbose=0,
            )
            rates[case] += history.history["learning_rate"]
            start = stop
        with pytest.raises(ValueError, match="knows nothing of epoch 8"):
            callback = recipe["KeptPlateau"](f"{case}/plateau.json", **settings)
            model.fit(x, y, initial_epoch=9, epochs=10, callbacks=[callback], verbose=0)
    plain = compare.compiled(member).fit(
        x,
        y,
        batch_size=member.batch_size,
        epochs=8,
        callbacks=[keras.callbacks.ReduceLROnPlateau(**settings)],
        verbose=0,
    )
    expected = plain.history["learning_rate"]
    assert len(set(expected)) > 1
    for case, found in rates.items():
        np.testing.assert_allclose(found, expected, err_msg=case)


class At(keras.callbacks.Callback):
    """Calls a function with the model when an epoch begins."""

    def __init__(self, epoch, function):
        super().__init__()
        self.epoch, self.function = epoch, function

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            self.function(self.model)


class Keep(keras.callbacks.Callback):
    """Keeps the loss and the arrays at the end of each epoch."""

    def __init__(self, seen):
        super().__init__()
        self.seen = seen

    def on_epoch_end(self, epoch, logs=None):
        arrays = [compare._array(v) for v in self.model.weights]
        self.seen.append((logs["val_loss"], arrays))


def worse(model):
    """Make a model bad, for the rest of the run."""
    bias = model.trainable_variables[-1]
    bias.assign(50 * np.eye(*bias.shape, 1)[:, 0])
    model.optimizer.learning_rate = 0.0


def stop(model):
    raise RuntimeError("stopped")


def best_of(seen):
    return min(seen, key=lambda pair: pair[0])[1]


def assert_is(arrays, file):
    """Assert that a file holds these arrays."""
    loaded = keras.saving.load_model(file)
    for variable, array in zip(loaded.weights, arrays, strict=True):
        np.testing.assert_array_equal(compare._array(variable), array)


@proof("trouble/callbacks/best_overwritten.py:keep_best")
def keep_best(recipe, member):
    x, y = member.data()
    metrics = {"kind": ["accuracy"]} if isinstance(y, dict) else ["accuracy"]
    seen = []

    def fit(name, *others, best=True):
        model = compare.compiled(member, metrics=metrics)
        kept = recipe["keep_best"](name, x, y) if best else []
        assert len(kept) == 2 * best
        settings = {"batch_size": member.batch_size, "epochs": 4, "verbose": 0}
        callbacks = [Keep(seen), *kept, *others]
        return model.fit(x, y, **settings, validation_data=(x, y), callbacks=callbacks)

    Path("net").mkdir()  # when fit ends, the backup deletes its folder
    Path("net/mine.txt").write_text("kept", encoding="utf-8")
    with pytest.raises(RuntimeError, match="stopped"):
        fit("net", At(2, stop))
    first = list(seen)
    assert len(first) == 2
    assert_is(best_of(first), "net.keras")
    worst = fit("net", At(2, worse)).history["val_loss"]
    assert [path.name for path in Path("net").iterdir()] == ["mine.txt"]
    assert not Path("net-backup").exists()
    assert len(worst) == 2 and len(seen) == 4, "it did not go on"
    assert min(worst) > min(loss for loss, _ in first)
    assert_is(best_of(first), "net.keras")

    # The threshold is the loss of the file, and what is better still replaces it.
    best, backup = recipe["keep_best"]("net", x, y)
    np.testing.assert_allclose(best.best, min(loss for loss, _ in first), rtol=1e-3)
    assert isinstance(backup, keras.callbacks.BackupAndRestore)
    before = Path("net.keras").read_bytes()
    model = keras.saving.load_model("net.keras")
    worse(model)
    model.save("other.keras")
    seen.clear()
    fit("other")
    assert_is(best_of(seen), "other.keras")
    assert Path("net.keras").read_bytes() == before


@proof("trouble/callbacks/row_order.py:from_epoch")
def from_epoch(recipe, member):
    tf.config.experimental.enable_op_determinism()
    x, y = member.data()
    count = len(keras.tree.flatten(y)[0])
    numbers = np.arange(count)

    def pipeline(start):
        keras.utils.set_random_seed(0)
        rows = tf.data.Dataset.from_tensor_slices((x, y, numbers))
        rows = rows.shuffle(count, seed=0).batch(member.batch_size)
        return recipe["from_epoch"](start, rows), len(rows)

    def order(start, epochs):
        rows, steps = pipeline(start)
        batches = [batch[2].numpy() for batch in rows.take(epochs * steps)]
        assert len(batches) == epochs * steps
        starts = range(0, len(batches), steps)
        return [np.concatenate(batches[i : i + steps]) for i in starts]

    whole = order(0, 4)
    for rows in whole:
        np.testing.assert_array_equal(np.sort(rows), numbers)
    assert not np.array_equal(whole[0], whole[1])
    for start in (1, 3):
        for rows, expected in zip(order(start, 4 - start), whole[start:], strict=True):
            np.testing.assert_array_equal(rows, expected)

    # A run in two parts is that in one.
    def fit(*ends):
        model, history, start = compare.compiled(member), [], 0
        for end in ends:
            rows, steps = pipeline(start)
            rows = rows.map(lambda *batch: batch[:2])
            settings = {"initial_epoch": start, "epochs": end, "verbose": 0}
            found = model.fit(rows, steps_per_epoch=steps, **settings)
            history += found.history["loss"]
            start = end
        return history, list(compare.state(model).values())

    (history, state), (parts, other) = fit(3), fit(1, 3)
    np.testing.assert_allclose(history, parts, rtol=1e-6)
    for one, two in zip(state, other, strict=True):
        if isinstance(one, np.ndarray):
            np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)
        else:
            assert one == two

    # Where an epoch has no length, it says so.
    endless = tf.data.Dataset.from_tensor_slices(numbers).repeat()
    for rows in [endless, endless.take(9).filter(lambda number: number > 3)]:
        with pytest.raises(TypeError, match="infinite|unknown"):
            recipe["from_epoch"](1, rows)
