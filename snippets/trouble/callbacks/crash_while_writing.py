# --8<-- [start:setup]
import os

import keras
import numpy as np

x = np.random.default_rng(0).normal(5, 3, size=(64, 4))
y = x[:, :1]


def build():
    model = keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(1),
        ]
    )
    model.compile(optimizer="sgd", loss="mse", run_eagerly=True)
    return model


class Stop(keras.callbacks.Callback):
    """End while ``save`` or ``save_weights`` writes a part of its file."""

    def __init__(self, epoch, method, part=0.5):
        super().__init__()
        self.epoch, self.method, self.part = epoch, method, part

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            setattr(self.model, self.method, self.save_a_part)

    def save_a_part(self, filepath, **arguments):
        getattr(keras.Model, self.method)(self.model, filepath, **arguments)
        os.truncate(filepath, int(self.part * os.path.getsize(filepath)))
        raise RuntimeError("stopped")


def run(folder, *callbacks, best="{folder}.keras", **settings):
    model = build()
    checkpoint = keras.callbacks.ModelCheckpoint(
        best.replace("{folder}", folder), monitor="loss", save_best_only=True
    )
    backup = keras.callbacks.BackupAndRestore(folder, **settings)
    callbacks = [checkpoint, backup, *callbacks]
    try:
        model.fit(x, y, 32, 4, shuffle=False, verbose=0, callbacks=callbacks)
    except RuntimeError:
        return "stopped"
    except OSError as error:
        return f"OSError: {str(error).partition(' (')[0]}"
    return f"{int(model.optimizer.iterations.numpy())} steps"


# --8<-- [end:setup]

# --8<-- [start:see]
print("never stopped:", run("a"))
print("while it writes a backup:", run("b", Stop(2, "save_weights")))
print("started again:", run("b"))
# --8<-- [end:see]


# --8<-- [start:torn]
def opens(path):
    try:
        keras.saving.load_model(path)
    except ValueError as error:
        return f"ValueError: {str(error).partition('. ')[0]}"
    return "opens"


print("while it writes a better model:", run("c", Stop(1, "save")))
print("the best one until then:", opens("c.keras"))
# --8<-- [end:torn]

# --8<-- [start:fix]
import shutil

shutil.rmtree("b")
model = keras.saving.load_model("b.keras")
start = int(model.optimizer.iterations.numpy()) // 2  # steps per epoch
history = model.fit(x, y, 32, 4, initial_epoch=start, verbose=0)
print("epochs:", history.epoch, "step:", model.optimizer.iterations.numpy())
# --8<-- [end:fix]

# --8<-- [start:sure]
each = "{folder}-{epoch}.keras"
run("d", Stop(3, "save_weights"), double_checkpoint=True)
print("backup torn, double_checkpoint:", run("d", double_checkpoint=True))
run("e", Stop(1, "save"), best=each)
print("best file torn, epoch in its name:", opens("e-1.keras"))
# --8<-- [end:sure]

# --8<-- [start:limits]
run("f", Stop(0, "save_weights"), double_checkpoint=True)
said = run("f", double_checkpoint=True).partition(":")[0]
print("backup torn in the first epoch:", said)
run("g", Stop(3, "save_weights", part=1))
print("after the weights, before the number:", run("g"))
# --8<-- [end:limits]
