# --8<-- [start:measure]
import keras
import numpy as np
from bn_tools import estimate_again


def four_scores(model, batches, score):
    """Score training batches in four ways. All variables stay.

    Args:
        model: The trained model.
        batches: A list of `(inputs, targets)` as `fit` got them, at least two,
            from all over an epoch. All rows together have to fit into memory.
        score: Function of targets and outputs; larger is better.
    """
    before = [(variable, variable.numpy()) for variable in model.variables]
    x, y = keras.tree.map_structure(
        lambda *rows: np.concatenate(rows), *batches
    )

    def asked(inputs, targets, training=False):
        try:
            outputs = model(inputs, training=training)
            return score(targets, keras.tree.map_structure(np.asarray, outputs))
        finally:
            for variable, array in before:
                variable.assign(array)

    scores = {
        "evaluate": asked(x, y),
        "batch": np.mean([asked(*batch, training=True) for batch in batches]),
        "together": asked(x, y, training=True),
    }
    estimate_again(model, [(x,)])
    return scores | {"estimated": asked(x, y)}


# --8<-- [end:measure]

# --8<-- [start:cases]
rng = np.random.default_rng(0)
noise = rng.normal(size=(512, 1)).astype("float32")
above = (noise > 0).astype(int)


def accuracy(targets, outputs):
    return np.mean((outputs > 0) == targets)


def trained(batches, epochs, momentum):
    """A model with the right weights, whose statistics saw some batches."""
    norm = keras.layers.BatchNormalization(momentum=momentum)
    head = keras.layers.Dense(1, kernel_initializer="ones")
    model = keras.Sequential([keras.Input(shape=(1,)), norm, head])
    for inputs, _ in batches * epochs:
        norm(inputs, training=True)
    return model


def cut(inputs, targets, size=32):
    starts = range(0, len(inputs), size)
    return [(inputs[i : i + size], targets[i : i + size]) for i in starts]


level = np.where(np.arange(512) < 256, 5, -5)[:, None]  # of two cameras
usual = cut(noise + 5, above)
sorted_rows = cut(noise + level, above)
other = cut(noise[:32] + 9, above[:32])

print(f"{'':22}evaluate  batch  together  estimated  start")
for name, batches, epochs, momentum, rows in [
    ("nothing", usual, 40, 0.99, usual),
    ("too few steps", usual, 1, 0.99, usual),
    ("the end is other data", usual + other, 1, 0.5, usual),
    ("sorted batches", sorted_rows, 40, 0.99, sorted_rows),
    ("... the first 8 only", sorted_rows, 40, 0.99, sorted_rows[:8]),
    ("... every other one", sorted_rows, 40, 0.99, sorted_rows[::2]),
]:
    model = trained(batches, epochs, momentum)
    scores = four_scores(model, rows, accuracy)
    said = ["good" if value > 0.9 else "bad" for value in scores.values()]
    start = momentum ** (len(batches) * epochs)
    print(
        f"{name:22}{said[0]:10}{said[1]:7}{said[2]:10}{said[3]:11}{start:.0%}"
    )
# --8<-- [end:cases]
