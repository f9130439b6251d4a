# --8<-- [start:model]
import os

import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(200, 8)).astype("float32")
noise = np.random.normal(0, 3, size=(200, 1)).astype("float32")
y = x[:, :1] - x[:, 1:2] + noise
x, x_val, y, y_val = x[:48], x[48:], y[:48], y[48:]


def build():
    model = keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.Dense(128),
            keras.layers.BatchNormalization(momentum=0.9, name="bn"),
            keras.layers.ReLU(),
            keras.layers.Dense(1),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
    return model


# --8<-- [end:model]

# --8<-- [start:best]
model = build()
weights = []  # after each epoch, to compare with
history = model.fit(
    x,
    y,
    validation_data=(x_val, y_val),
    epochs=20,
    batch_size=8,
    callbacks=[
        keras.callbacks.ModelCheckpoint(
            "best.keras", monitor="val_loss", save_best_only=True
        ),
        keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: weights.append(model.get_weights())
        ),
    ],
    verbose=0,
)
# --8<-- [end:best]

# --8<-- [start:load]
best = keras.saving.load_model("best.keras")
# --8<-- [end:load]

# --8<-- [start:prove]
losses = history.history["val_loss"]
epoch = np.argmin(losses)
for saved, loaded in zip(weights[epoch], best.get_weights(), strict=True):
    np.testing.assert_array_equal(saved, loaded)
np.testing.assert_allclose(
    best.evaluate(x_val, y_val, verbose=0), min(losses), rtol=1e-5
)
print(len(best.variables), "arrays are those after the best epoch")
print("val_loss is the minimum of the history")
print("steps taken:", int(best.optimizer.iterations) == 6 * (epoch + 1))
# --8<-- [end:prove]

# --8<-- [start:differs]
layer, last = best.get_layer("bn"), model.get_layer("bn")
starts = {"gamma": 1, "beta": 0, "moving_mean": 0, "moving_variance": 1}
for name, start in starts.items():
    array = getattr(layer, name).numpy()
    learned = not np.all(array == start)
    equal = np.array_equal(array, getattr(last, name))
    print(f"{name:16} learned: {learned}  equal to the last epoch: {equal}")
print("the last epoch is worse by a fifth:", losses[-1] > 1.2 * min(losses))
# --8<-- [end:differs]

# --8<-- [start:expect]
copy = build()
copy.set_weights(weights[epoch])
np.savez(
    "expected.npz",
    *weights[epoch],
    x=x_val,
    predictions=copy(x_val, training=False),
)
# --8<-- [end:expect]

# --8<-- [start:reload]
import keras
import numpy as np

loaded = keras.saving.load_model("best.keras")
expected = np.load("expected.npz")

for i, array in enumerate(loaded.get_weights()):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
np.testing.assert_array_equal(
    loaded(expected["x"], training=False), expected["predictions"]
)
print("arrays and predictions equal in a process that did not save")
# --8<-- [end:reload]

# --8<-- [start:every]
model = build()
model.fit(
    x,
    y,
    epochs=3,
    callbacks=[keras.callbacks.ModelCheckpoint("epoch-{epoch:02d}.keras")],
    verbose=0,
)
print(sorted(name for name in os.listdir() if name.startswith("epoch")))
# --8<-- [end:every]

# --8<-- [start:weights_only]
model.fit(
    x,
    y,
    epochs=1,
    callbacks=[
        keras.callbacks.ModelCheckpoint(
            "last.weights.h5", save_weights_only=True
        )
    ],
    verbose=0,
)

reloaded = build()
reloaded.load_weights("last.weights.h5")
for saved, loaded in zip(model.variables, reloaded.variables, strict=True):
    np.testing.assert_array_equal(saved, loaded)
print(len(reloaded.variables), "arrays equal")
print("steps taken:", int(reloaded.optimizer.iterations))
# --8<-- [end:weights_only]


# --8<-- [start:interrupted]
class PowerCut(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if self.model.optimizer.iterations == 5:
            raise RuntimeError("power cut in the third epoch")


def experiment(targets, folder, *callbacks):
    model = build()
    run = model.fit(
        x,
        targets,
        epochs=4,
        callbacks=[keras.callbacks.BackupAndRestore(folder), *callbacks],
        verbose=0,
    )
    print("epochs run:", run.epoch)
    print("steps taken:", int(model.optimizer.iterations))


try:
    experiment(y, "backup", PowerCut())
except RuntimeError as error:
    print("RuntimeError:", error)
# --8<-- [end:interrupted]

# --8<-- [start:backup]
print(sorted(os.listdir("backup")))
with open("backup/training_metadata.json") as file:
    print(file.read())
# --8<-- [end:backup]

# --8<-- [start:resume]
experiment(y, "backup")
# --8<-- [end:resume]

# --8<-- [start:deleted]
print("backup is there:", os.path.exists("backup"))
# --8<-- [end:deleted]

# --8<-- [start:ending]
for arguments in [
    {"filepath": "best"},
    {"filepath": "best.keras", "save_weights_only": True},
]:
    try:
        keras.callbacks.ModelCheckpoint(**arguments)
    except ValueError as error:
        print("ValueError:", error)
# --8<-- [end:ending]

# --8<-- [start:monitor]
import warnings

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    model.fit(
        x,
        y,
        epochs=2,
        callbacks=[
            keras.callbacks.ModelCheckpoint(
                "unmonitored.keras", monitor="val_loss", save_best_only=True
            )
        ],
        verbose=0,
    )
print({str(w.message) for w in caught if "val_loss" in str(w.message)})

reloaded = keras.saving.load_model("unmonitored.keras")
for saved, loaded in zip(model.variables, reloaded.variables, strict=True):
    np.testing.assert_array_equal(saved, loaded)
print("the file holds the last epoch")
# --8<-- [end:monitor]

# --8<-- [start:monitor_fix]
print(list(history.history))
# --8<-- [end:monitor_fix]


# --8<-- [start:forgets]
later = build()


def train_on(callback):
    later.set_weights(weights[-1])
    later.fit(
        x,
        y,
        validation_data=(x_val, y_val),
        epochs=1,
        callbacks=[callback],
        verbose=0,
    )


train_on(
    keras.callbacks.ModelCheckpoint(
        "best.keras", monitor="val_loss", save_best_only=True
    )
)
overwritten = keras.saving.load_model("best.keras")
loss = overwritten.evaluate(x_val, y_val, verbose=0)
print("the file is worse by a fifth:", loss > 1.2 * min(losses))
# --8<-- [end:forgets]

# --8<-- [start:threshold]
best.save("best.keras")  # what was there before
train_on(
    keras.callbacks.ModelCheckpoint(
        "best.keras",
        monitor="val_loss",
        save_best_only=True,
        initial_value_threshold=min(losses),
    )
)
kept = keras.saving.load_model("best.keras")
loss = kept.evaluate(x_val, y_val, verbose=0)
print("the file is worse by a fifth:", loss > 1.2 * min(losses))
# --8<-- [end:threshold]

# --8<-- [start:leftover]
try:
    experiment(y, "backup", PowerCut())
except RuntimeError as error:
    print("RuntimeError:", error)
experiment(2 * y, "backup")
# --8<-- [end:leftover]

# --8<-- [start:own_folder]
try:
    experiment(y, "backup-1", PowerCut())
except RuntimeError as error:
    print("RuntimeError:", error)
experiment(2 * y, "backup-2")
# --8<-- [end:own_folder]

# --8<-- [start:unbuilt]
unbuilt = keras.Sequential(
    [keras.layers.BatchNormalization(), keras.layers.Dense(1)], name="unbuilt"
)
unbuilt.compile(optimizer="adam", loss="mse")
backup = keras.callbacks.BackupAndRestore("backup")
try:
    unbuilt.fit(x, y, callbacks=[backup], verbose=0)
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:unbuilt]

# --8<-- [start:built]
unbuilt(x[:1])
run = unbuilt.fit(x, y, callbacks=[backup], verbose=0)
print("epochs run:", run.epoch)
# --8<-- [end:built]
