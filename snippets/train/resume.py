# --8<-- [start:model]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(160, 8)).astype("float32")
y = x[:, :1] - x[:, 1:2]


def compiled(model):
    rate = keras.optimizers.schedules.CosineDecay(0.02, decay_steps=40)
    optimizer = keras.optimizers.Adam(rate)
    model.compile(optimizer=optimizer, loss="mean_squared_error")
    return model


def build():
    layers = [
        keras.Input(shape=(8,)),
        keras.layers.Dense(16),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.ReLU(),
        keras.layers.Dense(1),
    ]
    return compiled(keras.Sequential(layers))


def train(model, start, stop):
    model.fit(x, y, initial_epoch=start, epochs=stop, shuffle=False, verbose=0)
    return model


def state(model):
    return [v.numpy() for v in [*model.variables, *model.optimizer.variables]]


def same(one, other):
    pairs = zip(one, other, strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


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
resumed = keras.saving.load_model("half.keras")
print("continues after step", int(resumed.optimizer.iterations))
train(resumed, 2, 4)

expected = np.load("uninterrupted.npz")
for i, array in enumerate(state(resumed)):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
bn = resumed.get_layer("bn")
print("moving_mean moved:", np.all(bn.moving_mean.numpy() != 0))
print("moving_variance moved:", np.all(bn.moving_variance.numpy() != 1))
print(len(state(resumed)), "arrays equal those of the uninterrupted run")
# --8<-- [end:reload]

# --8<-- [start:files]
import copy
import pickle

import tensorflow as tf

half.save_weights("half.weights.h5")
half.save_weights("half.weights.json", max_shard_size=1e-6)
whole = tf.train.Checkpoint(model=half).save("whole/net")
only = tf.train.Checkpoint(arrays=half.variables).save("only/net")
pickled = pickle.dumps(half)
copied = copy.deepcopy(half)
arrays = state(half)
# The last one: it takes the optimizer out of the compile settings of `half`.
half.save("half.h5")
# --8<-- [end:files]


# --8<-- [start:routes]
def ready():
    model = build()
    model.optimizer.build(model.trainable_variables)
    return model


def weights(model, path):
    model.load_weights(path)
    return model


def whole_model(model):
    status = tf.train.Checkpoint(model=model).restore(whole)
    status.assert_existing_objects_matched()
    return model


def arrays_only(model):
    checkpoint = tf.train.Checkpoint(arrays=model.variables)
    checkpoint.restore(only).assert_consumed()
    return model


load = keras.saving.load_model
routes = {
    ".keras": lambda: load("half.keras"),
    ".keras, compile=False": lambda: compiled(
        load("half.keras", compile=False)
    ),
    ".h5": lambda: load("half.h5"),
    ".weights.h5": lambda: weights(build(), "half.weights.h5"),
    ".weights.h5, built": lambda: weights(ready(), "half.weights.h5"),
    ".weights.json, built": lambda: weights(ready(), "half.weights.json"),
    "Checkpoint(model)": lambda: whole_model(build()),
    "Checkpoint(model), built": lambda: whole_model(ready()),
    "Checkpoint of the arrays": lambda: arrays_only(ready()),
    "pickle": lambda: pickle.loads(pickled),
    "deepcopy": lambda: copied,
}
# --8<-- [end:routes]

# --8<-- [start:table]
import warnings

print(f"{'':26}arrays  step  two epochs on, bit for bit")
for route, load_half in routes.items():
    keras.utils.set_random_seed(1)  # other starting values than the first time
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = load_half()
    n = len(model.variables)
    equal = "equal" if same(state(model)[:n], arrays[:n]) else "differ"
    step = int(model.optimizer.iterations)
    try:
        train(model, 2, 4)
        exact = "yes" if same(state(model), uninterrupted) else "no"
    except ValueError:
        exact = "fit raises ValueError"
    if any("Skipping variable loading" in str(w.message) for w in caught):
        exact += ", after a UserWarning"
    print(f"{route:26}{equal:6}{step:6}  {exact}")
# --8<-- [end:table]


# --8<-- [start:sgd]
def with_sgd():
    model = build()
    model.compile(keras.optimizers.SGD(0.001), "mean_squared_error")
    return model


keras.utils.set_random_seed(0)
straight = with_sgd()
start = straight.get_weights()
train(straight, 0, 4)
final = straight.get_weights()

straight.set_weights(start)
train(straight, 0, 2).save_weights("sgd.weights.h5")
resumed = weights(with_sgd(), "sgd.weights.h5")
train(resumed, 2, 4)
print("bit for bit:", same(resumed.get_weights(), final))
# --8<-- [end:sgd]


# --8<-- [start:order]
class Spy(keras.Sequential):
    def train_step(self, data):
        rows, targets = data
        seen.append(rows.numpy())
        return super().train_step(data)


seen = []
spy = Spy([keras.Input(shape=(8,)), keras.layers.Dense(1)])
spy.compile(loss="mse", run_eagerly=True)


def orders(seed, epochs):
    seen.clear()
    keras.utils.set_random_seed(seed)
    spy.fit(x, y, batch_size=160, epochs=epochs, shuffle=True, verbose=0)
    return [rows.tolist() for rows in seen]


first, second = orders(0, epochs=2)
print("shuffled:", first != x.tolist())
print("second epoch in the order of the first:", second == first)
print("restarted with the same seed:", orders(0, epochs=1) == [first])
print("restarted with another seed: ", orders(1, epochs=1) == [first])
# --8<-- [end:order]


# --8<-- [start:pipeline]
def pipeline():
    rows = tf.data.Dataset.from_tensor_slices((x, y))
    return rows.shuffle(160, seed=0).batch(160)


rows = pipeline()
first, second = [next(iter(rows))[0].numpy() for epoch in range(2)]
restarted = next(iter(pipeline()))[0].numpy()
print("second epoch in the order of the first:", np.array_equal(second, first))
print("restarted, as the first:", np.array_equal(restarted, first))
# --8<-- [end:pipeline]

# --8<-- [start:dropout]
dropping = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.BatchNormalization(),
        keras.layers.Dropout(0.5, seed=0),
    ]
)
for _ in range(3):
    dropping(x, training=True)
dropping.save("dropping.keras")


def through_checkpoint(objects):
    path = tf.train.Checkpoint(**objects(dropping)).save("dropping/net")
    fresh = keras.models.clone_model(dropping)
    tf.train.Checkpoint(**objects(fresh)).restore(path).assert_consumed()
    return fresh


for way, model in {
    "in memory": dropping,
    ".keras": keras.saving.load_model("dropping.keras"),
    "deepcopy": copy.deepcopy(dropping),
    "checkpoint": through_checkpoint(lambda m: {"model": m}),
    "and arrays": through_checkpoint(
        lambda m: {"model": m, "arrays": m.variables}
    ),
}.items():
    drawn = model.layers[-1].seed_generator.state.numpy()[1]
    moved = np.any(model.layers[0].moving_mean.numpy())
    print(f"{way:11} statistics moved: {moved}  masks drawn: {drawn}")
# --8<-- [end:dropout]


# --8<-- [start:schedule]
def rates(callback, start, stop):
    run = plain.fit(
        x,
        y,
        initial_epoch=start,
        epochs=stop,
        callbacks=[callback],
        verbose=0,
    )
    return [round(rate, 4) for rate in run.history["learning_rate"]]


def halved(epoch):
    return 0.08 * 0.5**epoch


plain = build()
plain.compile(optimizer="adam", loss="mean_squared_error")
schedule = keras.callbacks.LearningRateScheduler(halved)
print("uninterrupted:   ", rates(schedule, 0, 4))
print("initial_epoch=2: ", rates(schedule, 2, 4))
print("no initial_epoch:", rates(schedule, 0, 2))
# --8<-- [end:schedule]


# --8<-- [start:plateau]
def plateau():
    # Nothing counts as an improvement here, so that two epochs are a plateau.
    return keras.callbacks.ReduceLROnPlateau(
        monitor="loss", factor=0.5, patience=2, min_delta=1e6
    )


plain.optimizer.learning_rate = 0.08
print("uninterrupted:", rates(plateau(), 0, 6))
plain.optimizer.learning_rate = 0.08
print("interrupted:  ", rates(plateau(), 0, 2) + rates(plateau(), 2, 6))
# --8<-- [end:plateau]

# --8<-- [start:plateau_fix]
import json
import os


class KeptPlateau(keras.callbacks.ReduceLROnPlateau):
    kept = ["best", "wait", "cooldown_counter"]

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)  # resets the three
        if os.path.exists("plateau.json"):
            with open("plateau.json") as file:
                vars(self).update(json.load(file))

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        with open("plateau.json", "w") as file:
            json.dump({name: getattr(self, name) for name in self.kept}, file)


def kept_plateau():
    return KeptPlateau(monitor="loss", factor=0.5, patience=2, min_delta=1e6)


plain.optimizer.learning_rate = 0.08
print(rates(kept_plateau(), 0, 2) + rates(kept_plateau(), 2, 6))
# --8<-- [end:plateau_fix]


# --8<-- [start:from_epoch]
class Rows(keras.utils.PyDataset):
    epoch = 0

    def __init__(self):
        super().__init__()
        self.x = np.random.default_rng(0).normal(5, 3, size=(160, 8))
        self.y = self.x[:, :1] - self.x[:, 1:2]

    def __len__(self):
        return 5

    def __getitem__(self, batch):
        order = np.random.default_rng(self.epoch).permutation(160)
        rows = order[32 * batch : 32 * (batch + 1)]
        return self.x[rows], self.y[rows]


class FromEpoch(keras.callbacks.Callback):
    def __init__(self, rows):
        super().__init__()
        self.rows = rows

    def on_epoch_begin(self, epoch, logs=None):
        self.rows.epoch = epoch
        for i, variable in enumerate(self.model.variables):
            if variable.name == "seed_generator_state":
                variable.assign([1000 * epoch + i, 0])


# --8<-- [end:from_epoch]


# --8<-- [start:run]
def run(*callbacks):
    keras.utils.set_random_seed(0)  # before the layers, which draw seeds
    layers = [
        keras.Input(shape=(8,)),
        keras.layers.Dense(16),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.ReLU(),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(1),
    ]
    model = keras.Sequential(layers)
    model.compile(optimizer="adam", loss="mean_squared_error")
    rows = Rows()
    history = model.fit(
        rows,
        epochs=4,
        shuffle=False,
        callbacks=[FromEpoch(rows), *callbacks],
        verbose=0,
    )
    return model, history.epoch


# --8<-- [end:run]

# --8<-- [start:shuffle]
rows = Rows()
batches = [rows[i][0] for i in range(len(rows))]
for shuffle in [True, False]:
    seen.clear()
    keras.utils.set_random_seed(0)
    spy.fit(rows, shuffle=shuffle, verbose=0)
    print(f"shuffle={shuffle!s:5} in the order of Rows:", same(seen, batches))
# --8<-- [end:shuffle]


# --8<-- [start:kill]
import inspect
import signal
import subprocess
import sys
from pathlib import Path


class PowerCut(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if self.model.optimizer.iterations == 13:
            os.kill(os.getpid(), signal.SIGKILL)


imports = "import os, signal\nimport keras\nimport numpy as np\n\n"
parts = [inspect.getsource(part) for part in [Rows, FromEpoch, PowerCut, run]]
start = """
backup = keras.callbacks.BackupAndRestore
run(backup("by-epoch"), backup("by-batch", save_freq=2), PowerCut())
"""
Path("train.py").write_text(imports + "\n\n".join(parts) + start)

process = subprocess.run([sys.executable, "train.py"])
print("exit code:", process.returncode)
for folder in ["by-epoch", "by-batch"]:
    print(folder, Path(folder, "training_metadata.json").read_text())
# --8<-- [end:kill]

# --8<-- [start:resume_kill]
expected, epochs = run()
resumed, epochs = run(keras.callbacks.BackupAndRestore("by-epoch"))
print("epochs run here:", epochs)
print("step:", int(resumed.optimizer.iterations))
print(len(state(resumed)), "arrays, bit for bit:", end=" ")
print(same(state(resumed), state(expected)))
# --8<-- [end:resume_kill]

# --8<-- [start:by_batch]
import shutil

shutil.copytree("by-batch", "by-batch-2")  # for the next section
backup = keras.callbacks.BackupAndRestore("by-batch", save_freq=2)
resumed, epochs = run(backup)
print("epochs run here:", epochs)
print("step:", int(resumed.optimizer.iterations))
print("bit for bit:", same(state(resumed), state(expected)))
# --8<-- [end:by_batch]


# --8<-- [start:second]
class SecondCut(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if self.model.optimizer.iterations == 15:
            raise RuntimeError("stopped again, in the same epoch")


try:
    run(
        keras.callbacks.BackupAndRestore("by-batch-2", save_freq=2), SecondCut()
    )
except RuntimeError as error:
    print("RuntimeError:", error)
print(Path("by-batch-2", "training_metadata.json").read_text())
# --8<-- [end:second]


# --8<-- [start:iterator]
def start_run():
    keras.utils.set_random_seed(0)
    model = ready()
    data = tf.data.Dataset.from_tensor_slices((x, y))
    rows = iter(data.shuffle(160, seed=0).repeat().batch(32))
    return model, rows, tf.train.Checkpoint(model=model, rows=rows)


def steps(model, rows, count):
    for _ in range(count):
        model.train_on_batch(*next(rows))


model, rows, checkpoint = start_run()
steps(model, rows, 13)  # in the middle of the third pass
path = checkpoint.save("position/net")
steps(model, rows, 7)  # what an uninterrupted run does

resumed, rows, checkpoint = start_run()
checkpoint.restore(path).assert_consumed()
steps(resumed, rows, 7)
print("with the position:   ", same(state(resumed), state(model)))

resumed, rows, checkpoint = start_run()
tf.train.Checkpoint(model=resumed).restore(path).expect_partial()
steps(resumed, rows, 7)
print("without the position:", same(state(resumed), state(model)))
# --8<-- [end:iterator]

# --8<-- [start:deterministic]
tf.config.experimental.enable_op_determinism()
keras.utils.set_random_seed(0)
print("bit for bit:", same(state(train(build(), 0, 4)), uninterrupted))
# --8<-- [end:deterministic]
