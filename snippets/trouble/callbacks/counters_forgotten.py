# --8<-- [start:setup]
import keras
import numpy as np

x = np.random.default_rng(0).normal(5, 3, size=(64, 4))
norm = keras.layers.BatchNormalization()
model = keras.Sequential([keras.Input(shape=(4,)), norm])
model.compile(optimizer="sgd", loss="mse", run_eagerly=True)


def fit(callback, start, stop):
    return model.fit(
        x,
        x,
        batch_size=64,
        initial_epoch=start,
        epochs=stop,
        callbacks=[callback],
        verbose=0,
    )


# Nothing counts as an improvement here, so that each epoch is waited for.
settings = {"monitor": "loss", "min_delta": 1e6}
# --8<-- [end:setup]


# --8<-- [start:see]
def epochs(*fits):
    found = []
    for start, stop in fits:
        early = keras.callbacks.EarlyStopping(patience=3, **settings)
        found += fit(early, start, stop).epoch
    return found


print("EarlyStopping, uninterrupted:", epochs((0, 8)))
print("EarlyStopping, resumed:      ", epochs((0, 2), (2, 8)))
# --8<-- [end:see]


# --8<-- [start:plateau]
def rates(make, *fits):
    found, model.optimizer.learning_rate = [], 0.08
    for start, stop in fits:
        history = fit(make(), start, stop).history
        found += [round(rate, 4) for rate in history["learning_rate"]]
    return found


def forgetting():
    return keras.callbacks.ReduceLROnPlateau(patience=2, factor=0.5, **settings)


print("uninterrupted:      ", rates(forgetting, (0, 6)))
print("forgetting, resumed:", rates(forgetting, (0, 2), (2, 6)))
# --8<-- [end:plateau]


# --8<-- [start:fix]
import json
import os
from pathlib import Path


class KeptPlateau(keras.callbacks.ReduceLROnPlateau):
    """ReduceLROnPlateau whose counters outlive the process, in a JSON file."""

    def __init__(self, file, **settings):
        super().__init__(**settings)
        self.file = Path(file)

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)  # resets the counters
        self.kept = None

    def on_epoch_begin(self, epoch, logs=None):
        if self.kept is None:
            self.kept = json.loads(self.file.read_text()) if epoch else {}
            vars(self).update(self.kept.get(str(epoch - 1), {}))
            if epoch and str(epoch - 1) not in self.kept:
                raise ValueError(
                    f"{self.file} knows nothing of epoch {epoch - 1}"
                )

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        names = ["best", "wait", "cooldown_counter"]
        self.kept[str(epoch)] = {name: getattr(self, name) for name in names}
        self.file.parent.mkdir(parents=True, exist_ok=True)
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(self.kept))
        os.replace(new, self.file)


# --8<-- [end:fix]


# --8<-- [start:sure]
def keeping():
    return KeptPlateau("plateau.json", patience=2, factor=0.5, **settings)


print("keeping, resumed:   ", rates(keeping, (0, 2), (2, 6)))
# --8<-- [end:sure]
