# --8<-- [start:recipe]
import os
from pathlib import Path

import h5py
import keras
import numpy as np


class SafeRun(keras.callbacks.Callback):
    """Keep the last and the best epoch of a ``fit``; go on after the last.

    Args:
        folder: A folder of its own for each ``fit``.
        monitor: What to judge epochs by, a key of the history.
        mode: "min" if less is better, "max" if more is. For a loss: "min".
        patience: Stop after so many epochs without a better one; None: never.
    """

    def __init__(self, folder, monitor="val_loss", mode=None, patience=None):
        super().__init__()
        if mode is None and not monitor.endswith("loss"):
            raise ValueError(f"{monitor}: pass mode='min' or mode='max'")
        self.folder, self.monitor = Path(folder), monitor
        self.sign = {None: 1, "min": 1, "max": -1}[mode]
        self.next, self.patience = None, patience

    @staticmethod
    def flags(model):
        return [bool(v.trainable) for v in model.variables]

    @staticmethod
    def step(model):
        return int(model.optimizer.iterations.numpy())

    @staticmethod
    def seeds(model):
        """Return the states of Dropout and its like, which are no weights."""
        weights = {id(w) for w in model.weights}
        return [v for v in model.variables if id(v) not in weights]

    @staticmethod
    def kind(model):
        """Return the optimizer's class; another's arrays may fit as well."""
        optimizer = model.optimizer
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        return f"{type(inner).__name__} of {len(optimizer.variables)} arrays"

    def resume(self, model):
        """Load the last epoch, if any, and return the number of the next."""
        if not model.weights:
            raise ValueError("the model has no arrays yet: call it once")
        notes = self.notes("last")
        if notes:
            self.load(model, "last")
        self.next = int(notes.get("epoch", -1)) + 1
        if notes and self.waited_for(self.next - 1):
            self.next = 10**9  # it has stopped for good: fit does nothing
        return self.next

    def waited_for(self, epoch):
        best = int(self.notes("best").get("epoch", -1))
        return self.patience is not None and epoch - best >= self.patience

    def load(self, model, name="best"):
        """Load the best epoch into a compiled model, the optimizer included."""
        notes = self.notes(name)
        if not notes:
            raise FileNotFoundError(self.path(name))
        if model.optimizer is None:
            raise ValueError("compile the model first")
        if not np.array_equal(notes["flags"], self.flags(model)):
            raise ValueError("other layers are trainable than when saved")
        if not model.optimizer.built:  # twice resets a LossScaleOptimizer
            model.optimizer.build(model.trainable_variables)
        if notes["optimizer"] != self.kind(model):
            raise ValueError(f"saved with the optimizer {notes['optimizer']}")
        model.load_weights(self.path(name))
        if self.step(model) != notes["step"]:
            raise ValueError("the optimizer has not been loaded")
        for seed, state in zip(self.seeds(model), notes["seeds"], strict=True):
            seed.assign(state)

    def path(self, name):
        return self.folder / f"{name}.weights.h5"

    def notes(self, name):
        """Return what ``save`` noted in a file; nothing if there is none."""
        if not self.path(name).exists():
            return {}
        with h5py.File(self.path(name)) as file:
            return dict(file.attrs)

    def save(self, name, notes):
        self.folder.mkdir(parents=True, exist_ok=True)
        new = self.path("new")
        self.model.save_weights(new)
        with h5py.File(new, "a") as file:
            file.attrs.update(notes)
            names = []
            file.visit(names.append)
        arrays = [n for n in names if "/vars/" in n and n[:9] != "optimizer"]
        if len(arrays) < len(self.model.weights):
            raise ValueError(f"{new} does not hold all arrays of the model")
        os.replace(new, self.path(name))  # all of the file or nothing

    def on_epoch_begin(self, epoch, logs=None):
        step = self.step(self.model)  # 0 if compiled anew
        if epoch != self.next or step != self.notes("last").get("step", step):
            raise ValueError(
                "compile, then pass initial_epoch=run.resume(model) to fit"
            )

    def on_epoch_end(self, epoch, logs=None):
        if self.monitor not in logs:
            raise KeyError(f"{self.monitor} is not among {list(logs)}")
        notes = {
            "epoch": epoch,
            "value": float(logs[self.monitor]),
            "step": self.step(self.model),
            "flags": self.flags(self.model),
            "optimizer": self.kind(self.model),
            "seeds": [seed.numpy() for seed in self.seeds(self.model)],
        }
        best = self.notes("best")
        old = self.sign * best["value"] if best else np.inf
        if self.sign * notes["value"] < old:  # never true of NaN
            self.save("best", notes)
        self.save("last", notes)
        self.next = epoch + 1
        if self.waited_for(epoch):
            self.model.stop_training = True


# --8<-- [end:recipe]

# --8<-- [start:setup]
import tensorflow as tf

keras.utils.set_random_seed(6)
x = np.random.normal(5, 3, size=(200, 8)).astype("float32")
noise = np.random.normal(0, 3, size=(200, 1)).astype("float32")
y = x[:, :1] - x[:, 1:2] + noise
x, x_val, y, y_val = x[:32], x[32:], y[:32], y[32:]
rows = tf.data.Dataset.from_tensor_slices((x, y)).batch(16)
other_rows = tf.data.Dataset.from_tensor_slices((x_val, y_val)).batch(168)

keras.utils.set_random_seed(6)
model = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.Dense(128),
        keras.layers.BatchNormalization(momentum=0.5, name="bn"),
        keras.layers.ReLU(),
        keras.layers.Dense(1),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(0.1), loss="mse")
model.optimizer.build(model.trainable_variables)
variables = [*model.variables, *model.optimizer.variables]
beginning = [v.numpy() for v in variables]


def build():
    """Give the model the arrays that a new process would build."""
    keras.utils.set_random_seed(6)
    for variable, array in zip(variables, beginning):
        variable.assign(array)
    # BackupAndRestore leaves it in the model: see the traps.
    model._initial_epoch = None


def train(*callbacks, epochs=4, start=0, **settings):
    return model.fit(
        rows,
        initial_epoch=start,
        epochs=epochs,
        shuffle=False,
        callbacks=list(callbacks),
        verbose=0,
        **{"validation_data": other_rows, **settings},
    )


def same(one, other):
    return all(map(np.array_equal, one, other))


def loss(model):
    return np.mean((model(x_val, training=False) - y_val) ** 2)


# --8<-- [end:setup]


# --8<-- [start:stop]
class Stop(keras.callbacks.Callback):
    """End an epoch at its start, or while the model is being saved."""

    def __init__(self, epoch, method=None, part=0.5):
        super().__init__()
        self.epoch, self.method, self.part = epoch, method, part

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch and self.method is None:
            raise RuntimeError("stopped")
        if epoch == self.epoch:
            self.save = getattr(self.model, self.method)
            setattr(self.model, self.method, self.save_a_part)

    def save_a_part(self, filepath, **arguments):
        setattr(self.model, self.method, self.save)
        self.save(filepath, **arguments)
        os.truncate(filepath, int(self.part * os.path.getsize(filepath)))
        raise RuntimeError("stopped")


def stopped(run, *arguments):
    try:
        run(*arguments)
    except RuntimeError:
        return True


# --8<-- [end:stop]


# --8<-- [start:use]
def safe_run(folder, *callbacks, patience=None):
    build()
    run = SafeRun(folder, patience=patience)
    start = run.resume(model)  # 0 in an empty folder
    history = train(run, *callbacks, start=start)
    return run, history.epoch


run, epochs = safe_run("run-1")
print("epochs:", epochs)
print("last epoch is worse by a fifth:", end=" ")
last, last_loss = [v.numpy() for v in variables], loss(model)
run.load(model)  # the best epoch
best_epoch = [v.numpy() for v in variables]
print(last_loss > 1.2 * loss(model))
# --8<-- [end:use]

# --8<-- [start:survive]
print("stopped:", stopped(safe_run, "run-2", Stop(1, "save_weights")))
print("stopped:", stopped(safe_run, "run-2", Stop(3, "save_weights")))
run_2, epochs = safe_run("run-2")
print("epochs:", epochs)
print("last epoch equal:", same(last, variables))
run_2.load(model)
print("best epoch equal:", same(best_epoch, variables))
print("best and last epoch equal:", same(best_epoch, last))
# --8<-- [end:survive]


# --8<-- [start:refuses]
frozen = keras.models.clone_model(model)
frozen.get_layer("bn").trainable = False
frozen.compile(optimizer="adam", loss="mse")
other_kind = keras.models.clone_model(model)
other_kind.compile(optimizer="adamax", loss="mse")
again = keras.models.clone_model(model)
again.compile(optimizer="adam", loss="mse")


def misspelled():
    run = SafeRun("run-4", monitor="value_loss")
    train(run, start=run.resume(model))


run = SafeRun("run-1")
epoch = run.resume(again)
again.compile(optimizer="adam", loss="mse")
after_compile = {"initial_epoch": epoch, "epochs": 5, "callbacks": [run]}

for attempt in [
    lambda: train(SafeRun("run-1")),
    lambda: SafeRun("run-1").resume(frozen),
    lambda: SafeRun("run-1").resume(other_kind),
    lambda: again.fit(rows, verbose=0, **after_compile),
    misspelled,
    lambda: SafeRun("run-5", monitor="val_accuracy"),
]:
    try:
        attempt()
    except (KeyError, ValueError) as error:
        print(f"{type(error).__name__}: {error.args[0]}")
# --8<-- [end:refuses]

# --8<-- [start:best]
build()
weights = []  # after each epoch, to compare with
history = train(
    keras.callbacks.ModelCheckpoint(
        "best.keras", monitor="val_loss", save_best_only=True
    ),
    keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: weights.append(model.get_weights())
    ),
)
best = keras.saving.load_model("best.keras")
# --8<-- [end:best]

# --8<-- [start:prove]
losses = history.history["val_loss"]
epoch = int(np.argmin(losses))
for name, net in {"file": best, "memory": model}.items():
    equal = same(weights[epoch], net.get_weights())
    steps = int(net.optimizer.iterations) == 2 * (epoch + 1)
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
build()
early = keras.callbacks.EarlyStopping(
    monitor="val_loss", patience=1, restore_best_weights=True
)
stopped_after = train(early).epoch
equal = same(weights[epoch], model.get_weights())
print("EarlyStopping, best epoch in memory:", equal)

run, epochs = safe_run("run-3", patience=1)
run.load(model)
equal = same(weights[epoch], model.get_weights())
print("SafeRun, best epoch in memory:      ", equal)
print("stopped after the same epoch:", stopped_after == epochs, len(epochs) < 4)
_, again = safe_run("run-3", patience=1)
print("SafeRun, started again, epochs:", again)
# --8<-- [end:early]

# --8<-- [start:every]
build()
train(
    keras.callbacks.ModelCheckpoint("epoch-{epoch:02d}.keras"),
    keras.callbacks.ModelCheckpoint("last.weights.h5", save_weights_only=True),
    epochs=3,
)
print(sorted(name for name in os.listdir() if name.startswith("epoch")))
# --8<-- [end:every]

# --8<-- [start:weights_only]
for built in [True, False]:
    reloaded = keras.models.clone_model(model)
    reloaded.compile(optimizer="adam", loss="mse")
    if built:
        reloaded.optimizer.build(reloaded.trainable_variables)
    reloaded.load_weights("last.weights.h5")
    equal = same(model.get_weights(), reloaded.get_weights())
    steps = int(reloaded.optimizer.iterations)
    print(f"built={built!s:5}  arrays equal: {equal}  step: {steps} of 6")
# --8<-- [end:weights_only]


# --8<-- [start:interrupted]
def backed_up(folder, *callbacks, **settings):
    build()
    backup = keras.callbacks.BackupAndRestore(folder, **settings)
    history = train(backup, *callbacks)
    print("epochs:", history.epoch, "step:", int(model.optimizer.iterations))


print("stopped:", stopped(backed_up, "backup", Stop(2)))
print(sorted(os.listdir("backup")))
backed_up("backup")
print("backup is there:", os.path.exists("backup"))
# --8<-- [end:interrupted]

# --8<-- [start:keep]
backed_up("kept", delete_checkpoint=False)
print("backup is there:", os.path.exists("kept"))
backed_up("kept", delete_checkpoint=False)
# --8<-- [end:keep]


# --8<-- [start:together]
def together(folder, *callbacks, double=False):
    build()
    train(
        keras.callbacks.ModelCheckpoint(f"{folder}.keras", save_best_only=True),
        keras.callbacks.BackupAndRestore(folder, double_checkpoint=double),
        *callbacks,
    )
    return int(model.optimizer.iterations)


def attempt(case, folder, stop=None, double=False):
    if stop:
        stopped(lambda: together(folder, stop, double=double))
    try:
        steps = together(folder, double=double)
    except Exception as error:
        print(f"{case:35} {type(error).__name__}")
        return
    found = loss(keras.saving.load_model(f"{folder}.keras"))
    worse = "overwritten" if found > 1.2 * min(losses) else "kept"
    print(f"{case:35} {steps:3} steps  best epoch {worse}")


half = Stop(3, "save_weights")
attempt("never stopped", "a")
attempt("between two epochs", "b", Stop(3))
attempt("while it writes a backup", "c", half)
attempt("same, double_checkpoint=True", "d", half, double=True)
first = Stop(0, "save_weights")
attempt("in the first, double_checkpoint=True", "e", first, double=True)
after = Stop(3, "save_weights", part=1)
attempt("after the weights, before the number", "f", after)
# --8<-- [end:together]

# --8<-- [start:torn]
print("stopped:", stopped(together, "g", Stop(1, "save")))
try:
    keras.saving.load_model("g.keras")
except Exception as error:
    print(f"g.keras, the best epoch until then: {type(error).__name__}")
# --8<-- [end:torn]

# --8<-- [start:forgets]
for threshold in [None, loss(best)]:
    best.save("best.keras")
    build()
    model.set_weights(weights[-1])
    callback = keras.callbacks.ModelCheckpoint(
        "best.keras", save_best_only=True, initial_value_threshold=threshold
    )
    train(callback, epochs=1)
    worse = loss(keras.saving.load_model("best.keras")) > 1.05 * min(losses)
    print(f"threshold: {threshold is not None!s:5}  file is worse: {worse}")
# --8<-- [end:forgets]

# --8<-- [start:monitor]
import warnings

for settings in [{"validation_data": None}, {}]:
    build()
    callback = keras.callbacks.ModelCheckpoint(
        "monitored.keras", monitor="val_loss", save_best_only=True
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        train(callback, **settings)
    messages = {str(w.message) for w in caught if "val_" in str(w.message)}
    print("validation data:", not settings, messages)
    reloaded = keras.saving.load_model("monitored.keras")
    equal = same(model.get_weights(), reloaded.get_weights())
    print("the file holds the last epoch:", equal)
# --8<-- [end:monitor]

# --8<-- [start:leftover]
print("stopped:", stopped(backed_up, "backup", Stop(2)))
# Another experiment:
rows = tf.data.Dataset.from_tensor_slices((x, 2 * y)).batch(16)
for folder in ["backup", "backup-2"]:
    backed_up(folder)
# --8<-- [end:leftover]

# --8<-- [start:skips]
backed_up("kept", delete_checkpoint=False)
model.save("restored.keras")
loaded = keras.saving.load_model("restored.keras")
for name, net in {"in memory": model, "loaded": loaded}.items():
    history = net.fit(rows, initial_epoch=0, epochs=5, verbose=0)
    print(f"{name:9} epochs: {history.epoch}")
# --8<-- [end:skips]

# --8<-- [start:unbuilt]
layers = [keras.layers.BatchNormalization(), keras.layers.Dense(1)]
unbuilt = keras.Sequential(layers, name="unbuilt")
unbuilt.compile(optimizer="sgd", loss="mse", run_eagerly=True)
for attempt in range(2):
    try:
        backup = keras.callbacks.BackupAndRestore("backup")
        print("epochs:", unbuilt.fit(x, y, callbacks=[backup], verbose=0).epoch)
    except ValueError as error:
        print("ValueError:", str(error).partition(". Model")[0])
    unbuilt(x[:1])
# --8<-- [end:unbuilt]

# --8<-- [start:ending]
for arguments in [
    {"filepath": "best"},
    {"filepath": "best.keras", "save_weights_only": True},
    {"filepath": "best.keras"},
    {"filepath": "best.weights.h5"},
]:
    try:
        keras.callbacks.ModelCheckpoint(**arguments)
        print("accepted:", arguments)
    except ValueError as error:
        print("ValueError:", str(error).partition(" Received")[0])
# --8<-- [end:ending]
