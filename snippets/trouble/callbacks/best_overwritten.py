# --8<-- [start:setup]
import keras
import numpy as np

x = np.random.default_rng(0).normal(5, 3, size=(64, 4))
y = x[:, :1]


def build():
    keras.utils.set_random_seed(0)
    norm = keras.layers.BatchNormalization()
    layers = [keras.Input(shape=(4,)), norm, keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.compile(optimizer="sgd", loss="mse", run_eagerly=True)
    return model


class Worse(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.model.optimizer.learning_rate = 0.3 if epoch == 2 else 0.01


class Stop(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            raise RuntimeError("stopped")


def train(model, start, *callbacks):
    data = {"x": x, "y": y, "batch_size": 64, "validation_data": (x, y)}
    epochs = {"initial_epoch": start, "epochs": 3, "verbose": 0}
    return model.fit(**data, **epochs, callbacks=[Worse(), *callbacks])


def loss_of(path):
    loaded = keras.saving.load_model(path)
    return np.mean((loaded(x, training=False) - y) ** 2)


# --8<-- [end:setup]


# --8<-- [start:see]
def run(name, *callbacks):
    best = keras.callbacks.ModelCheckpoint(f"{name}.keras", save_best_only=True)
    backup = keras.callbacks.BackupAndRestore(f"{name}-backup")
    return train(build(), 0, best, backup, *callbacks)


lowest = min(run("never-stopped").history["val_loss"])
print("never stopped: worse", loss_of("never-stopped.keras") > 1.2 * lowest)
try:
    run("stopped", Stop())
except RuntimeError:
    print("until the stop: worse", loss_of("stopped.keras") > 1.2 * lowest)
run("stopped")
print("started again: worse", loss_of("stopped.keras") > 1.2 * lowest)
# --8<-- [end:see]

# --8<-- [start:second]
model = build()
old = keras.callbacks.ModelCheckpoint("second.keras", save_best_only=True)
train(model, 0, old)
train(model, 2, old)
print("same callback: worse", loss_of("second.keras") > 1.2 * lowest)
new = keras.callbacks.ModelCheckpoint("second.keras", save_best_only=True)
train(model, 2, new)
print("new callback: worse", loss_of("second.keras") > 1.2 * lowest)
# --8<-- [end:second]

# --8<-- [start:fix]
import os


def keep_best(name, x, y):
    """Return callbacks that know the best value so far, if there is a file."""
    path, threshold = f"{name}.keras", None
    if os.path.exists(path):
        loaded = keras.saving.load_model(path)
        found = loaded.evaluate(x, y, verbose=0, return_dict=True)
        threshold = found["loss"]
    best = keras.callbacks.ModelCheckpoint(
        path, save_best_only=True, initial_value_threshold=threshold
    )
    return [best, keras.callbacks.BackupAndRestore(f"{name}-backup")]


# --8<-- [end:fix]

# --8<-- [start:sure]
try:
    train(build(), 0, *keep_best("fixed", x, y), Stop())
except RuntimeError:
    train(build(), 0, *keep_best("fixed", x, y))
print("started again: worse", loss_of("fixed.keras") > 1.2 * lowest)
# --8<-- [end:sure]
