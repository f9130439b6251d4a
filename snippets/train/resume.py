# --8<-- [start:rows]
import keras
import numpy as np


class Rows(keras.utils.PyDataset):
    """Arrays in an order that is drawn anew, but the same, for each epoch.

    Pass a new one to each ``fit``, with ``shuffle=False``, and ``evaluate``.
    Give it the ``batch_size``: ``fit`` ignores its own for such data. With
    ``steps_per_epoch``, rows would come twice, and others never.
    """

    def __init__(self, x, y, batch_size=32, start=0):
        super().__init__()
        if len(x) != len(y):
            raise ValueError(f"{len(x)} rows in x and {len(y)} in y")
        # A pandas object would be asked for labels in place of positions.
        self.x, self.y = np.asarray(x), np.asarray(y)
        if not (self.x.ndim and self.y.ndim):
            raise ValueError("the rows in x and in y have to be arrays")
        self.batch_size, self.epoch = batch_size, start - 1
        self.on_epoch_end()

    def __len__(self):
        return -(-len(self.x) // self.batch_size)

    def __getitem__(self, batch):
        rows = self.order[self.batch_size * batch :][: self.batch_size]
        return self.x[rows], self.y[rows]

    def on_epoch_end(self):
        self.epoch += 1
        self.order = np.random.default_rng(self.epoch).permutation(len(self.x))


class MasksFromEpoch(keras.callbacks.Callback):
    """Seed Dropout and its like from the number of the epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        for i, variable in enumerate(self.model.variables):
            if variable.name == "seed_generator_state":
                variable.assign([10_000 * epoch + i, 0])


# --8<-- [end:rows]


# --8<-- [start:run]
import json
from pathlib import Path


def data():
    x = np.random.default_rng(0).normal(5, 3, size=(80, 8))
    return x, x[:, :1] - x[:, 1:2]


def next_epoch(folder):
    file = Path(folder, "training_metadata.json")
    return json.loads(file.read_text())["epoch"] if file.exists() else 0


def run(folder, *callbacks, follow=True):
    keras.utils.set_random_seed(0)
    layers = [
        keras.Input(shape=(8,)),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(1),
    ]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), loss="mse")
    model.optimizer.build(model.trainable_variables)  # so one trace, not two
    masks = [MasksFromEpoch()] if follow else []
    rows = Rows(*data(), start=next_epoch(folder) if follow else 0)
    backup = keras.callbacks.BackupAndRestore(folder)
    history = model.fit(
        rows,
        epochs=4,
        shuffle=False,
        callbacks=[*masks, backup, *callbacks],
        verbose=0,
    )
    return model, history.epoch


# --8<-- [end:run]


# --8<-- [start:kill]
import os
import shutil
import signal


class PowerCut(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if self.model.optimizer.iterations == 8:
            os.kill(os.getpid(), signal.SIGKILL)


# A fork, which is safe as long as TensorFlow has not computed anything.
process = os.fork()
if process == 0:
    run("run-1", PowerCut())
    os._exit(0)
_, status = os.waitpid(process, 0)
print("exit code:", os.waitstatus_to_exitcode(status))
print("next epoch:", next_epoch("run-1"))
shutil.copytree("run-1", "run-2")
# --8<-- [end:kill]


# --8<-- [start:resume_kill]
def state(model):
    return [v.numpy() for v in [*model.variables, *model.optimizer.variables]]


def same(one, other):
    pairs = zip(one, other, strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


for folder, follow in {"run-1": True, "run-2": False}.items():
    expected, _ = run("not-interrupted", follow=follow)
    resumed, epochs = run(folder, follow=follow)
    print(f"order and masks follow from the epoch: {follow!s:5}", end="  ")
    print("epochs:", epochs, "step:", int(resumed.optimizer.iterations.numpy()))
    print("bit for bit:", same(state(resumed), state(expected)))
# --8<-- [end:resume_kill]


# --8<-- [start:model]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(80, 8)).astype("float32")
y = x[:, :1] - x[:, 1:2]


def build():
    layers = [
        keras.Input(shape=(8,)),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.Dense(1),
    ]
    model = keras.Sequential(layers)
    rate = keras.optimizers.schedules.CosineDecay(0.02, decay_steps=24)
    optimizer = keras.optimizers.SGD(rate, momentum=0.9)
    # A dozen steps are over sooner than TensorFlow has compiled them.
    model.compile(optimizer=optimizer, loss="mse", run_eagerly=True)
    return model


def train(model, start, stop):
    model.fit(x, y, initial_epoch=start, epochs=stop, shuffle=False, verbose=0)
    return model


# --8<-- [end:model]


# --8<-- [start:control]
keras.utils.set_random_seed(0)
uninterrupted = state(train(build(), 0, 4))

keras.utils.set_random_seed(0)
control = state(train(build(), 0, 4))
print(len(control), "arrays, bit for bit:", same(control, uninterrupted))
# --8<-- [end:control]


# --8<-- [start:half]
keras.utils.set_random_seed(0)
half = train(build(), 0, 2)
half.save("half.keras")

np.savez("uninterrupted.npz", *uninterrupted)
# --8<-- [end:half]


# --8<-- [start:reload]
def state(model):
    return [v.numpy() for v in [*model.variables, *model.optimizer.variables]]


resumed = keras.saving.load_model("half.keras")
print("continues after step", int(resumed.optimizer.iterations.numpy()))
train(resumed, 2, 4)

expected = np.load("uninterrupted.npz")
for i, array in enumerate(state(resumed)):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
bn = resumed.get_layer("bn")
print("moving_mean moved:", np.all(bn.moving_mean.numpy() != 0))
print("moving_variance moved:", np.all(bn.moving_variance.numpy() != 1))
print(len(state(resumed)), "arrays equal those of the uninterrupted run")
# --8<-- [end:reload]
