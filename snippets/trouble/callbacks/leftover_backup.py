# --8<-- [start:setup]
import keras
import numpy as np

x = np.random.default_rng(0).normal(5, 3, size=(64, 4))


class Stop(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            raise RuntimeError("stopped")


def experiment(y, folder, *callbacks):
    model = keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(1),
        ]
    )
    model.compile(optimizer="sgd", loss="mse", run_eagerly=True)
    backup = keras.callbacks.BackupAndRestore(folder)
    callbacks = [backup, *callbacks]
    return model.fit(x, y, epochs=4, callbacks=callbacks, verbose=0).epoch


# --8<-- [end:setup]

# --8<-- [start:see]
try:
    experiment(x[:, :1], "backup", Stop())
except RuntimeError:
    print("the first experiment is stopped after two epochs")
epochs = experiment(2 * x[:, :1], "backup")
print("another one, epochs:", epochs)
# --8<-- [end:see]

# --8<-- [start:fix]
try:
    experiment(x[:, :1], "backup-1", Stop())
except RuntimeError:
    pass
epochs = experiment(2 * x[:, :1], "backup-2")
print("in a folder of its own, epochs:", epochs)
# --8<-- [end:fix]

# --8<-- [start:sure]
import os

print("backup-1 is left behind:", os.path.exists("backup-1"))
print("backup-2 is left behind:", os.path.exists("backup-2"))
# --8<-- [end:sure]
