# --8<-- [start:measure]
import keras
import numpy as np


def alone_and_in_a_batch(model, predict, rows):
    """Compare a row's prediction with that of the same row among others.

    Args:
        model: The model that `predict` calls.
        predict: From some rows to predictions, as your program does it:
            an array of numbers, or a list or dict of arrays, one per output.
        rows: Some rows that differ: a list or an array, or a dict of them.
    """
    before = [(variable, variable.numpy()) for variable in model.variables]
    weights = model.get_weights()
    parts = slice(1), slice(1, 2), slice(None)
    try:
        alone, other, among = (predict(cut(rows, part)) for part in parts)
        now = model.get_weights()
    finally:
        for variable, array in before:
            variable.assign(array)
    pairs = zip(weights, now)
    moved = not all(np.array_equal(*pair, equal_nan=True) for pair in pairs)
    return {
        "in a batch": "equal" if close(alone, among) else "differs",
        "two rows, each alone": "equal" if close(alone, other) else "differ",
        "arrays": "moved" if moved else "stay",
    }


def cut(rows, part):
    if isinstance(rows, dict):
        return {name: each[part] for name, each in rows.items()}
    return rows[part]


def close(outputs, others):
    """Compare the first row of each output."""
    outputs, others = keras.tree.flatten(outputs), keras.tree.flatten(others)
    if len(outputs) != len(others):
        raise ValueError("predict: an array per output, not a list of rows")
    for pair in zip(outputs, others):
        rows = [np.asarray(array, "float64")[0] for array in pair]
        atol = 1e-3 * np.nan_to_num(np.abs(rows), posinf=0).max()
        if not np.allclose(*rows, rtol=0, atol=atol, equal_nan=True):
            return False
    return True


# --8<-- [end:measure]

# --8<-- [start:cases]
keras.utils.set_random_seed(0)
rows = list(np.random.normal(5, 3, size=(16, 8)).astype("float32"))
norm, head = keras.layers.BatchNormalization(), keras.layers.Dense(3)
drop = keras.layers.Dropout(0.5)
model = keras.Sequential([keras.Input(shape=(8,)), norm, head])
norm.beta.assign(np.arange(8))

texts = [np.arange(1, length) for length in (4, 6, 9)]
reader = {
    mask: keras.Sequential(
        [
            keras.Input(shape=(None,)),
            keras.layers.Embedding(10, 4, mask_zero=mask),
            keras.layers.BatchNormalization(),
            keras.layers.GRU(3),
        ]
    )
    for mask in [False, True]
}


def called(rows):
    return np.asarray(model(np.stack(rows)))


def in_training_mode(rows):
    return np.asarray(head(norm(np.stack(rows), training=True)))


def scaled_per_batch(rows):
    rows = np.stack(rows)
    return called((rows - rows.mean(axis=0)) / (rows.std(axis=0) + 1e-3))


def one_range(rows):
    rows = np.stack(rows)
    return called((rows - rows.min()) / (rows.max() - rows.min()))


def with_dropout(rows):
    return head(drop(np.stack(rows), training=True))


def padded(mask):
    def predict(texts):
        return np.asarray(reader[mask](keras.utils.pad_sequences(texts)))

    return predict


cases = {
    "nothing": (model, called, rows),
    "training mode": (model, in_training_mode, rows),
    "scaled per batch": (model, scaled_per_batch, rows),
    "one range": (model, one_range, rows),
    "Dropout runs": (model, with_dropout, rows),
    "padding is read": (reader[False], padded(False), texts),
    "padding is masked": (reader[True], padded(True), texts),
}
print(f"{'':18}in a batch  two rows, each alone  arrays")
for name, case in cases.items():
    alone, others, arrays = alone_and_in_a_batch(*case).values()
    print(f"{name:18}{alone:12}{others:22}{arrays}")
# --8<-- [end:cases]
