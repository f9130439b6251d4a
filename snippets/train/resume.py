# --8<-- [start:rows]
import keras
import numpy as np


class Rows(keras.utils.PyDataset):
    """Arrays in an order that is drawn anew, but the same, for each epoch.

    Pass it to ``fit`` with ``shuffle=False``, and to a new ``fit`` a new one.
    Give it the ``batch_size``: ``fit`` ignores its own for such data.
    """

    def __init__(self, x, y, batch_size=32, start=0):
        super().__init__()
        if len(x) != len(y):
            raise ValueError(f"{len(x)} rows in x and {len(y)} in y")
        # A pandas object would be asked for labels in place of positions.
        self.x, self.y = np.asarray(x), np.asarray(y)
        self.batch_size, self.epoch = batch_size, start

    def __len__(self):
        return -(-len(self.x) // self.batch_size)

    def __getitem__(self, batch):
        order = np.random.default_rng(self.epoch).permutation(len(self.x))
        rows = order[self.batch_size * batch : self.batch_size * (batch + 1)]
        return self.x[rows], self.y[rows]

    def on_epoch_end(self):
        self.epoch += 1


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
    optimizer = keras.optimizers.SGD(0.01, momentum=0.9)
    model.compile(optimizer=optimizer, loss="mean_squared_error")

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
    print("epochs:", epochs, "step:", int(resumed.optimizer.iterations))
    print("bit for bit:", same(state(resumed), state(expected)))
# --8<-- [end:resume_kill]


# --8<-- [start:model]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(80, 8)).astype("float32")
y = x[:, :1] - x[:, 1:2]


def compiled(model):
    rate = keras.optimizers.schedules.CosineDecay(0.02, decay_steps=24)
    optimizer = keras.optimizers.SGD(rate, momentum=0.9)
    # A dozen steps are over sooner than TensorFlow has compiled them.
    model.compile(
        optimizer=optimizer, loss="mean_squared_error", run_eagerly=True
    )
    return model


def build():
    layers = [
        keras.Input(shape=(8,)),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.Dense(1),
    ]
    return compiled(keras.Sequential(layers))


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

import tensorflow as tf

half.save_weights("half.weights.h5")
whole = tf.train.Checkpoint(model=half).save("whole/net")
only = tf.train.Checkpoint(arrays=half.variables).save("only/net")
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
    "Checkpoint(model)": lambda: whole_model(build()),
    "Checkpoint(model), built": lambda: whole_model(ready()),
    "Checkpoint of the arrays": lambda: arrays_only(ready()),
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


# --8<-- [start:order]
class Spy(keras.Sequential):
    def train_step(self, data):
        rows, targets = data
        seen.append(rows.numpy())
        return super().train_step(data)


seen = []
spy = Spy([keras.Input(shape=(8,)), keras.layers.Dense(1)])
spy.compile(optimizer="sgd", loss="mse", run_eagerly=True)


def orders(seed, epochs):
    seen.clear()
    keras.utils.set_random_seed(seed)
    spy.fit(x, y, batch_size=80, epochs=epochs, shuffle=True, verbose=0)
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
    return rows.shuffle(80, seed=0).batch(80)


rows = pipeline()
first, second = [next(iter(rows))[0].numpy() for epoch in range(2)]
restarted = next(iter(pipeline()))[0].numpy()
print("second epoch in the order of the first:", np.array_equal(second, first))
print("restarted, as the first:", np.array_equal(restarted, first))
# --8<-- [end:pipeline]

# --8<-- [start:rows_again]
rows = Rows(x, y, batch_size=80)
first = rows[0][0]
rows.on_epoch_end()
second = rows[0][0]
restarted = Rows(x, y, batch_size=80, start=1)[0][0]
print("second epoch in the order of the first:", np.array_equal(second, first))
print("restarted, as the second:", np.array_equal(restarted, second))
# --8<-- [end:rows_again]

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


# --8<-- [start:noise]
class Noise(keras.layers.Layer):
    def __init__(self, seed):
        super().__init__()
        self.seed = seed

    def call(self, inputs):
        shape = keras.ops.shape(inputs)
        return inputs + keras.random.normal(shape, seed=self.seed)


for seed in [None, keras.random.SeedGenerator(0)]:
    noisy = keras.Sequential([keras.Input(shape=(8,)), Noise(seed)])
    masks = MasksFromEpoch()
    masks.set_model(noisy)
    drawn = []
    for epoch in [1, 1, 2]:
        masks.on_epoch_begin(epoch)
        drawn.append(noisy(x).numpy())
    first, again, other = drawn
    print(
        f"{type(seed).__name__:13}  "
        f"epoch again, same noise: {np.array_equal(first, again)!s:5}  "
        f"next epoch, other noise: {not np.array_equal(again, other)}"
    )
# --8<-- [end:noise]


# --8<-- [start:schedule]
def rates(callback, start, stop):
    run = plain.fit(
        x,
        y,
        batch_size=80,
        initial_epoch=start,
        epochs=stop,
        callbacks=[callback],
        verbose=0,
    )
    return [round(rate, 4) for rate in run.history["learning_rate"]]


def halved(epoch):
    return 0.08 * 0.5**epoch


plain = build()
plain.compile(optimizer="sgd", loss="mean_squared_error")
schedule = keras.callbacks.LearningRateScheduler(halved)
print("uninterrupted:   ", rates(schedule, 0, 4))
print("initial_epoch=2: ", rates(schedule, 2, 4))
print("no initial_epoch:", rates(schedule, 0, 2))
# --8<-- [end:schedule]


# --8<-- [start:early]
def epochs_of(*fits):
    epochs = []
    for start, stop in fits:
        early = keras.callbacks.EarlyStopping("loss", patience=3, min_delta=1e6)
        epochs += plain.fit(
            x,
            y,
            batch_size=80,
            initial_epoch=start,
            epochs=stop,
            callbacks=[early],
            verbose=0,
        ).epoch
    return epochs


print("EarlyStopping, uninterrupted:", epochs_of((0, 8)))
print("EarlyStopping, resumed:      ", epochs_of((0, 2), (2, 8)))
# --8<-- [end:early]


# --8<-- [start:plateau_recipe]
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


# --8<-- [end:plateau_recipe]

# --8<-- [start:plateau]
# Nothing counts as an improvement here, so that two epochs are a plateau.
settings = {"monitor": "loss", "factor": 0.5, "patience": 2, "min_delta": 1e6}


def forgetting():
    return keras.callbacks.ReduceLROnPlateau(**settings)


def keeping():
    return KeptPlateau("plateau.json", **settings)


plain.optimizer.learning_rate = 0.08
print("uninterrupted:     ", rates(forgetting(), 0, 6))
for new in [forgetting, keeping]:
    plain.optimizer.learning_rate = 0.08
    print(
        f"{new.__name__:10} resumed:", rates(new(), 0, 2) + rates(new(), 2, 6)
    )
# --8<-- [end:plateau]


# --8<-- [start:by_batch]
class Stop(keras.callbacks.Callback):
    def __init__(self, step):
        super().__init__()
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        if self.model.optimizer.iterations == self.step:
            raise RuntimeError


def backed_up(freq, stops):
    folder = f"backup-{freq}-{len(stops)}"
    for step in [*stops, 0]:
        keras.utils.set_random_seed(0)
        model = build()
        backup = keras.callbacks.BackupAndRestore(folder, save_freq=freq)
        try:
            model.fit(
                x,
                y,
                epochs=2,
                shuffle=False,
                callbacks=[backup, Stop(step)],
                verbose=0,
            )
        except RuntimeError:
            pass
    exact = same(state(model), arrays)
    print(f"save_freq={freq!s:5} stopped {len(stops)}x:", end=" ")
    print(f"{int(model.optimizer.iterations)} steps, bit for bit: {exact}")


backed_up("epoch", [5])
backed_up(2, [5])
backed_up(2, [5, 6])
# --8<-- [end:by_batch]


# --8<-- [start:iterator]
def start_run():
    keras.utils.set_random_seed(0)
    model = ready()
    data = tf.data.Dataset.from_tensor_slices((x, y))
    rows = iter(data.shuffle(80, seed=0).repeat().batch(32))
    return model, rows, tf.train.Checkpoint(model=model, rows=rows)


def steps(model, rows, count):
    for _ in range(count):
        model.train_on_batch(*next(rows))


model, rows, checkpoint = start_run()
steps(model, rows, 4)  # in the middle of the second pass
path = checkpoint.save("position/net")
steps(model, rows, 2)  # what an uninterrupted run does

resumed, rows, checkpoint = start_run()
checkpoint.restore(path).assert_consumed()
steps(resumed, rows, 2)
print("with the position:   ", same(state(resumed), state(model)))

resumed, rows, checkpoint = start_run()
tf.train.Checkpoint(model=resumed).restore(path).expect_partial()
steps(resumed, rows, 2)
print("without the position:", same(state(resumed), state(model)))
# --8<-- [end:iterator]


# --8<-- [start:stateful]
def noisy_rows(a, b):
    return a + tf.random.normal(tf.shape(a)), b


data = tf.data.Dataset.from_tensor_slices((x, y))
for name, pipeline in {"plain": data, "random": data.map(noisy_rows)}.items():
    try:
        tf.train.Checkpoint(rows=iter(pipeline)).save("stateful/net")
        print(f"{name:6} saved")
    except tf.errors.FailedPreconditionError as error:
        print(f"{name:6} refused, as stateful: {'is stateful' in str(error)}")
# --8<-- [end:stateful]
