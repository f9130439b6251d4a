# --8<-- [start:setup]
import os

import keras
import numpy as np

keras.utils.set_random_seed(6)
x = np.random.normal(5, 3, size=(200, 8)).astype("float32")
noise = np.random.normal(0, 3, size=(200, 1)).astype("float32")
y = x[:, :1] - x[:, 1:2] + noise
x, x_val, y, y_val = x[:32], x[32:], y[:32], y[32:]
validation = {"validation_data": (x_val, y_val), "validation_batch_size": 168}


def build():
    keras.utils.set_random_seed(6)
    first = [keras.Input(shape=(8,)), keras.layers.Dense(128)]
    norm = keras.layers.BatchNormalization(momentum=0.5)
    last = [keras.layers.ReLU(), keras.layers.Dense(1)]
    model = keras.Sequential([*first, norm, *last])
    adam = keras.optimizers.Adam(0.1)
    model.compile(optimizer=adam, loss="mse", run_eagerly=True)
    return model


def train(model, *callbacks, epochs=4, **options):
    options.update(epochs=epochs, shuffle=False, verbose=0)
    return model.fit(x, y, batch_size=16, callbacks=callbacks, **options)


def same(one, other):
    return all(map(np.array_equal, one, other))


def loss(model):
    return np.mean((model(x_val, training=False) - y_val) ** 2)


# --8<-- [end:setup]

# --8<-- [start:best]
model, weights = build(), []
history = train(
    model,
    keras.callbacks.ModelCheckpoint(
        "best.keras", monitor="val_loss", save_best_only=True
    ),
    keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: weights.append(model.get_weights())
    ),
    **validation,
)
best = keras.saving.load_model("best.keras")
# --8<-- [end:best]

# --8<-- [start:prove]
losses = history.history["val_loss"]
epoch = int(np.argmin(losses))
for name, net in {"file": best, "memory": model}.items():
    equal = same(weights[epoch], net.get_weights())
    steps = int(net.optimizer.iterations.numpy()) == 2 * (epoch + 1)
    worse = loss(net) > 1.2 * min(losses)
    print(f"{name:6} best epoch's arrays: {equal}  steps: {steps}", end="")
    print("  worse by a fifth:", worse)
# --8<-- [end:prove]

# --8<-- [start:expect]
np.savez("expected.npz", *weights[epoch])
# --8<-- [end:expect]

# --8<-- [start:reload]
import keras
import numpy as np

loaded = keras.saving.load_model("best.keras")
expected = np.load("expected.npz")
for i, array in enumerate(loaded.get_weights()):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
print(len(expected), "arrays equal in a process that did not save")
# --8<-- [end:reload]


# --8<-- [start:early]
class Stop(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 3:
            raise KeyboardInterrupt


model = build()
early = keras.callbacks.EarlyStopping(
    monitor="val_loss", patience=1, restore_best_weights=True
)
epochs = train(model, early, **validation).epoch
print("best epoch in memory:", same(weights[epoch], model.get_weights()))
print("stopped early:", len(epochs) < 4)

model, early.patience = build(), 9
try:
    train(model, early, Stop(), **validation)
except KeyboardInterrupt:
    print("after Ctrl+C:", same(weights[epoch], model.get_weights()))
# --8<-- [end:early]

# --8<-- [start:every]
model = build()
train(
    model,
    keras.callbacks.ModelCheckpoint("epoch-{epoch:02d}.keras"),
    keras.callbacks.ModelCheckpoint("last.weights.h5", save_weights_only=True),
    epochs=3,
)
print(sorted(name for name in os.listdir() if name.startswith("epoch")))
# --8<-- [end:every]

# --8<-- [start:weights_only]
for built in [True, False]:
    reloaded = build()
    if built:
        reloaded.optimizer.build(reloaded.trainable_variables)
    reloaded.load_weights("last.weights.h5")
    equal = same(model.get_weights(), reloaded.get_weights())
    steps = int(reloaded.optimizer.iterations.numpy())
    print(f"built={built!s:5}  arrays equal: {equal}  step: {steps} of 6")
# --8<-- [end:weights_only]


# --8<-- [start:interrupted]
def backed_up(folder, *callbacks, **settings):
    model = build()
    backup = keras.callbacks.BackupAndRestore(folder, **settings)
    history = train(model, backup, *callbacks)
    print("epochs:", history.epoch, "step:", model.optimizer.iterations.numpy())


try:
    backed_up("backup", Stop())
except KeyboardInterrupt:
    np.save("backup/mine.npy", x)  # a file of another origin
    print("stopped:", *sorted(os.listdir("backup")))
backed_up("backup")
print("backup and mine.npy are there:", os.path.exists("backup"))
# --8<-- [end:interrupted]

# --8<-- [start:keep]
backed_up("kept", delete_checkpoint=False)
print("backup is there:", os.path.exists("kept"))
backed_up("kept", delete_checkpoint=False)
# --8<-- [end:keep]
