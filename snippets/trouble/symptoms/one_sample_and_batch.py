# --8<-- [start:measure]
import numpy as np


def alone_and_in_a_batch(model, predict, rows):
    """Compare a row's prediction with that of the same row among others.

    Args:
        model: The model that `predict` calls.
        predict: From a list of rows to predictions, as your program does it.
        rows: Some rows that differ, a list.
    """
    before = model.get_weights()
    parts = [rows[:1], rows[1:2], rows]
    alone, other, among = (predict(part)[0] for part in parts)
    moved = not all(map(np.array_equal, before, model.get_weights()))
    return {
        "in a batch": "equal" if close(alone, among) else "differs",
        "two rows, each alone": "equal" if close(alone, other) else "differ",
        "arrays": "moved" if moved else "stay",
    }


def close(one, other):
    scale = max(np.abs(one).max(), np.abs(other).max())
    return np.allclose(one, other, rtol=0, atol=1e-3 * scale)


# --8<-- [end:measure]

# --8<-- [start:cases]
import keras

keras.utils.set_random_seed(0)
rows = list(np.random.normal(5, 3, size=(16, 8)).astype("float32"))
norm, head = keras.layers.BatchNormalization(), keras.layers.Dense(3)
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


def padded(mask):
    def predict(texts):
        return np.asarray(reader[mask](keras.utils.pad_sequences(texts)))

    return predict


cases = {
    "nothing": (model, called, rows),
    "training mode": (model, in_training_mode, rows),
    "scaled per batch": (model, scaled_per_batch, rows),
    "padding is read": (reader[False], padded(False), texts),
    "padding is masked": (reader[True], padded(True), texts),
}
print(f"{'':18}in a batch  two rows, each alone  arrays")
for name, case in cases.items():
    alone, others, arrays = alone_and_in_a_batch(*case).values()
    print(f"{name:18}{alone:12}{others:22}{arrays}")
# --8<-- [end:cases]
