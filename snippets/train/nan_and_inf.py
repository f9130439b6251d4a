# --8<-- [start:model]
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(128, 8)).astype("float32")
y = x[:, :1] - x[:, 1:2]
bad = x.copy()
bad[40, 3] = np.inf  # one value of 1024

model = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.BatchNormalization(momentum=0.8, name="first"),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.BatchNormalization(momentum=0.8, name="second"),
        keras.layers.Dense(1),
    ]
)
model.compile("sgd", "mean_squared_error", run_eagerly=True)
model.fit(x, y, verbose=0)
model.save("sound.keras")

model.get_layer("first").trainable = False
model(bad, training=True)  # as in a step whose loss is NaN, and is skipped
model.save("broken.keras")
# --8<-- [end:model]

# --8<-- [start:broken]
from bn_tools import broken, repair

print(*broken(model), sep="\n")
# --8<-- [end:broken]

# --8<-- [start:repair]
clean = x[np.isfinite(x).all(axis=1)]
print("repaired:", *repair(model, [clean]))
print("still broken:", broken(model))
# --8<-- [end:repair]

# --8<-- [start:prove]
first, dense, second = model.layers[:3]
features = dense(first(x, training=False)).numpy()
close = {"rtol": 1e-3, "atol": 1e-3}  # NumPy adds in another order
np.testing.assert_allclose(second.moving_mean, features.mean(axis=0), **close)
np.testing.assert_allclose(
    second.moving_variance, features.var(axis=0), **close
)
print("second holds mean and variance of what it receives")

model.save("repaired.keras")
np.savez("expected.npz", x=x, predictions=model(x, training=False))
# --8<-- [end:prove]

# --8<-- [start:reload]
import keras
import numpy as np

from bn_tools import broken

expected = np.load("expected.npz")
for name in ["broken.keras", "repaired.keras"]:
    loaded = keras.saving.load_model(name)
    outputs = loaded(expected["x"], training=False)
    equal = np.array_equal(outputs, expected["predictions"])
    print(f"{name:14}  broken: {len(broken(loaded))}  equal: {equal}")
# --8<-- [end:reload]


# --8<-- [start:rows]
def finite(*row):
    """Return whether all numbers of a row are finite, the targets' too."""
    numbers = [a for a in tf.nest.flatten(row) if a.dtype.is_floating]
    sound = [tf.reduce_all(tf.math.is_finite(a)) for a in numbers]
    return tf.reduce_all([True, *sound])


data = tf.data.Dataset.from_tensor_slices((bad, y))
for name, rows in {"all": data, "finite": data.filter(finite)}.items():
    net = keras.saving.load_model("sound.keras")
    net.fit(rows.batch(32), verbose=0)
    count = sum(1 for _ in rows)
    print(f"{name:6} rows: {count}  broken arrays: {len(broken(net)) > 0}")
# --8<-- [end:rows]


# --8<-- [start:guard]
class StopIfBroken(keras.callbacks.Callback):
    """Raise before a broken model is saved. The first of the callbacks."""

    def __init__(self, every_batch=False):
        super().__init__()
        self.every_batch = every_batch

    def on_train_batch_end(self, batch, logs=None):
        if self.every_batch:
            self.check(f"batch {batch + 1}")

    def on_epoch_end(self, epoch, logs=None):
        self.check(f"epoch {epoch + 1}")

    def check(self, when):
        found = broken(self.model)
        if found:
            raise RuntimeError(f"after {when}: {found[0]}")


# --8<-- [end:guard]

# --8<-- [start:together]
save = keras.callbacks.ModelCheckpoint
part, bad_part = x[:64], bad[:64]  # two batches
targets = np.concatenate([y[:64]] * 3)


def run(rows, *callbacks):
    """Train for three epochs of 2 batches, on a third of the rows each."""
    net = keras.saving.load_model("sound.keras")
    data = tf.data.Dataset.from_tensor_slices((rows, targets)).batch(32)
    epochs = {"epochs": 3, "steps_per_epoch": 2, "verbose": 0}
    try:
        net.fit(data, callbacks=callbacks, **epochs)
        end = "no error"
    except RuntimeError as error:
        end = str(error).partition(":")[0]
    return net, end


bad_in_epoch_2 = np.concatenate([part, bad_part, part])
each_epoch, each_2 = save("net.keras"), save("net.keras", save_freq=2)
backup = keras.callbacks.BackupAndRestore("backup")

print("callbacks           stopped        file    resumed in  then")
for case, callbacks in {
    "first": [StopIfBroken(), each_epoch, backup],
    "none": [each_epoch, backup],
    "last": [each_epoch, backup, StopIfBroken()],
    "first, save_freq=2": [StopIfBroken(), each_2, backup],
    "  every_batch=True": [StopIfBroken(every_batch=True), each_2, backup],
}.items():
    _, end = run(bad_in_epoch_2, *callbacks)
    file = keras.saving.load_model("net.keras")
    resumed, _ = run(np.concatenate([part] * 3), backup)
    first = resumed.history.epoch[0] + 1
    state = ["broken" if broken(net) else "sound" for net in [file, resumed]]
    print(f"{case:18}  {end:13}  {state[0]:6}  epoch {first}     {state[1]}")
# --8<-- [end:together]
