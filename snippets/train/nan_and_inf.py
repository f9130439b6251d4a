# --8<-- [start:model]
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(128, 8)).astype("float32")
y = x[:, :1] - x[:, 1:2]
bad = x.copy()
bad[40, 3] = np.inf  # one value of 1024


def build(base, optimizer=None):
    model = keras.Sequential(
        [
            keras.Input((8,)),
            base,
            keras.layers.BatchNormalization(momentum=0.8, name="bn"),
            keras.layers.Dense(1),
        ]
    )
    optimizer = optimizer or keras.optimizers.SGD(0.01, momentum=0.9)
    model.compile(optimizer, "mean_squared_error", run_eagerly=True)
    return model


base = keras.Sequential(
    [
        keras.Input((8,)),
        keras.layers.BatchNormalization(momentum=0.8, name="base_bn"),
        keras.layers.Dense(16, activation="relu"),
    ],
    name="base",
)
build(base).fit(x, y, epochs=4, verbose=0)  # stands for the pretraining
base.trainable = False
base.save("base.keras")


def on_base(optimizer=None):
    return build(keras.saving.load_model("base.keras"), optimizer)


def epoch(model, x):
    for rows in np.split(np.arange(128), 4):
        with tf.GradientTape() as tape:
            outputs = model(x[rows], training=True)
            loss = tf.reduce_mean((outputs - y[rows]) ** 2)
        if np.isfinite(loss):  # otherwise, skip the batch
            gradients = tape.gradient(loss, model.trainable_variables)
            model.optimizer.apply(gradients, model.trainable_variables)
    return float(loss)


model = on_base()
for _ in range(10):
    epoch(model, bad)
model.save("broken.keras")
# --8<-- [end:model]

# --8<-- [start:broken]
from bn_tools import batch_norms, broken, estimate_again, repair

print(*broken(model), sep="\n")
# --8<-- [end:broken]

# --8<-- [start:repair]
clean = x[np.isfinite(x).all(axis=1)]
print("repaired:", *repair(model, [clean]))
print("still broken:", broken(model))
# --8<-- [end:repair]


# --8<-- [start:ways]
def report(way, model):
    kept = all(map(np.array_equal, model.layers[0].get_weights(), start))
    outputs = model(x, training=False)
    error = np.mean((outputs - y) ** 2) / np.var(y)
    print(
        f"{way:20}  still broken: {len(broken(model))}  base kept: {kept!s:5}  "
        f"error small: {error < 0.2}"
    )


start = keras.saving.load_model("base.keras").get_weights()
report("repair", model)

slow = keras.saving.load_model("broken.keras")
slow.get_layer("bn").momentum = 0.0
slow(x, training=True)
report("momentum 0", slow)

wiped = keras.saving.load_model("broken.keras")
for layer in batch_norms(wiped):
    layer.moving_mean.assign(np.zeros(layer.moving_mean.shape))
    layer.moving_variance.assign(np.ones(layer.moving_variance.shape))
estimate_again(wiped, [x], layers=[wiped.get_layer("bn")])
report("reset all, repair bn", wiped)
# --8<-- [end:ways]

# --8<-- [start:prove]
features = model.get_layer("base")(x, training=False).numpy()
bn = model.get_layer("bn")
close = {"rtol": 1e-3, "atol": 1e-3}  # NumPy adds in another order
np.testing.assert_allclose(bn.moving_mean, features.mean(axis=0), **close)
np.testing.assert_allclose(bn.moving_variance, features.var(axis=0), **close)
print("bn holds mean and variance of what it receives")

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


# --8<-- [start:from_original]
def statistics_from(original, base):
    """Copy the statistics of ``original`` to the broken layers of ``base``."""
    pairs = list(zip(base.weights, original.weights, strict=True))
    for array, sound in pairs:
        same = np.array_equal(array.numpy(), sound.numpy())
        if not (same or array.name.startswith("moving_")):
            raise ValueError(f"{array.path} was trained since: use repair")
    copied = []
    for layer, sound in zip(
        batch_norms(base), batch_norms(original), strict=True
    ):
        if broken(layer):
            layer.moving_mean.assign(sound.moving_mean)
            layer.moving_variance.assign(sound.moving_variance)
            copied.append(layer.name)
    if broken(base):
        raise ValueError(f"the original is broken, too: {broken(base)[0]}")
    return copied


# --8<-- [end:from_original]

# --8<-- [start:copied]
new_x = x + 1  # the new task's data
original = keras.saving.load_model("base.keras")
for way in ["statistics_from", "repair"]:
    tuned = on_base()
    base = tuned.get_layer("base")
    base.layers[0].moving_mean.assign(np.full(8, np.nan))
    if way == "repair":
        print(f"{way:16}", *repair(tuned, [new_x]))
    else:
        print(f"{way:16}", *statistics_from(original, base))
    as_before = np.array_equal(base(x), original(x))
    print(f"{'':16} base computes what it did: {as_before}")
# --8<-- [end:copied]


# --8<-- [start:weights]
lost = on_base(keras.optimizers.SGD(0.01, momentum=0.9, clipnorm=1.0))
lost.train_on_batch(bad[32:64], y[32:64])
try:
    repair(lost, [x])
except ValueError as error:
    print("ValueError:", str(error).partition(":")[0])

for name in ["weights alone", "the whole model"]:
    if name == "weights alone":
        lost.set_weights(model.get_weights())
        net = lost
    else:
        net = keras.saving.load_model("repaired.keras")
    net.train_on_batch(x[:32], y[:32])
    print(f"{name} from an older file, broken: {bool(broken(net))}")
# --8<-- [end:weights]


# --8<-- [start:causes]
def with_scaling():
    optimizer = keras.optimizers.SGD(0.01)
    return on_base(keras.optimizers.LossScaleOptimizer(optimizer))


def row(case, loss, model):
    found = [v for v in model.variables if broken_array(v)]
    statistics = sum("moving" in v.name for v in found)
    others = len(found) - statistics
    finite = str(bool(np.isfinite(loss)))
    print(f"{case:23}  {finite:16}  {others} of 10  {statistics} of 4")


def broken_array(variable):
    return not np.isfinite(variable).all()


print("epoch with one bad row   later loss finite  weights  statistics")
for case, net, data in [
    ("fit, without that row", on_base(), x),
    ("fit", on_base(), bad),
    ("fit, LossScaleOptimizer", with_scaling(), bad),
]:
    net.fit(data, y, verbose=0)
    row(case, net.fit(x, y, verbose=0).history["loss"][0], net)

net = on_base()
epoch(net, bad)
row("loop that skips batches", epoch(net, x), net)
# --8<-- [end:causes]

# --8<-- [start:formats]
net = keras.saving.load_model("broken.keras")
net.save_weights("broken.weights.h5")
path = tf.train.Checkpoint(model=net).save("broken/net")
from_weights, restored = on_base(), on_base()
from_weights.load_weights("broken.weights.h5")
tf.train.Checkpoint(model=restored).restore(path).expect_partial()
for way, loaded in {
    ".keras": net,
    ".weights.h5": from_weights,
    "checkpoint": restored,
}.items():
    before = batch_norms(loaded)[-1].moving_mean.numpy()
    for _ in range(10):
        loaded(x, training=True)
    moved = not np.array_equal(batch_norms(loaded)[-1].moving_mean, before)
    nans = np.isnan(loaded(x, training=False)).sum()
    print(f"{way:11} a layer moved: {moved}", end="  ")
    print(f"predictions that are NaN: {nans} of {len(x)}")
# --8<-- [end:formats]


# --8<-- [start:rows]
def finite(*row):
    """Return whether all numbers of a row are finite, the targets' too."""
    numbers = [a for a in tf.nest.flatten(row) if a.dtype.is_floating]
    sound = [tf.reduce_all(tf.math.is_finite(a)) for a in numbers]
    return tf.reduce_all([True, *sound])


data = tf.data.Dataset.from_tensor_slices((bad, y))
for name, rows in {"all": data, "finite": data.filter(finite)}.items():
    net = on_base()
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
part, bad_part = x[:64], bad[:64]  # two batches
targets = np.concatenate([y[:64]] * 3)


def run(rows, *callbacks):
    """Train for three epochs of 2 batches, on a third of the rows each."""
    net = with_scaling()
    data = tf.data.Dataset.from_tensor_slices((rows, targets)).batch(32)
    started = []
    start = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: started.append(epoch + 1)
    )
    try:
        net.fit(
            data,
            epochs=3,
            steps_per_epoch=2,
            callbacks=[*callbacks, start],
            verbose=0,
        )
        end = "no error"
    except RuntimeError as error:
        end = str(error).partition(":")[0]
    return net, end, started[0]


bad_in_epoch_2 = np.concatenate([part, bad_part, part])
each_epoch = keras.callbacks.ModelCheckpoint("net.keras")
each_2 = keras.callbacks.ModelCheckpoint("net.keras", save_freq=2)
backup = keras.callbacks.BackupAndRestore("backup")

print("callbacks          stopped         file    resumed from  then")
for case, callbacks in {
    "first": [StopIfBroken(), each_epoch, backup],
    "none": [each_epoch, backup],
    "last": [each_epoch, backup, StopIfBroken()],
    "first, save_freq=2": [StopIfBroken(), each_2, backup],
    "  every_batch=True": [StopIfBroken(every_batch=True), each_2, backup],
}.items():
    _, end, _ = run(bad_in_epoch_2, *callbacks)
    file = keras.saving.load_model("net.keras")
    resumed, _, first = run(np.concatenate([part] * 3), backup)
    state = ["broken" if broken(net) else "sound" for net in [file, resumed]]
    print(f"{case:18} {end:15} {state[0]:7} epoch {first}       {state[1]}")
# --8<-- [end:together]

# --8<-- [start:terminate]
print("TerminateOnNaN          epochs  file")
for case, start, data, options in [
    ("NaN from before", "broken.keras", x, {}),
    ("a bad row", "repaired.keras", bad, {}),
    ("  raise_error=True", "repaired.keras", bad, {"raise_error": True}),
]:
    net = keras.saving.load_model(start)
    keras.saving.load_model("repaired.keras").save("net.keras")
    guard = keras.callbacks.TerminateOnNaN(**options)
    callbacks = [guard, keras.callbacks.ModelCheckpoint("net.keras")]
    try:
        net.fit(data, y, epochs=2, callbacks=callbacks, verbose=0)
    except RuntimeError as error:
        print("RuntimeError:", str(error).partition(" at ")[0])
    found = broken(keras.saving.load_model("net.keras"))
    epochs = len(net.history.epoch)
    print(f"{case:22}  {epochs}       {'broken' if found else 'sound'}")
# --8<-- [end:terminate]

# --8<-- [start:best]
for monitor in ["loss", "val_loss"]:
    net = keras.saving.load_model("repaired.keras")
    best = keras.callbacks.ModelCheckpoint(
        "best.keras", monitor=monitor, save_best_only=True
    )
    held_out = x[:32], y[:32]
    options = {"validation_data": held_out, "callbacks": [best], "verbose": 0}
    net.fit(x, y, **options)
    net(bad, training=True)
    net.fit(x, y, **options)
    found = broken(keras.saving.load_model("best.keras"))
    print(f"{monitor:8}  broken arrays in best.keras: {len(found)}")
# --8<-- [end:best]


# --8<-- [start:others]
@tf.function(jit_compile=True)
def fused(images):
    one, zero = tf.ones(64), tf.zeros(64)
    outputs, _, variance = tf.compat.v1.nn.fused_batch_norm(images, one, zero)
    return outputs, variance


@tf.function(jit_compile=True)
def layered(images):
    return layer(images, training=True), layer.moving_variance


def show(case, outputs, variance):
    nan = np.isnan(outputs).any()
    zero = not np.any(outputs)
    kinds = {
        "infinite": np.isinf(variance).any(),
        "NaN": np.isnan(variance).any(),
        "negative": np.any(variance < 0),
        "0": np.any(variance == 0),
    }
    kind = next((name for name, there in kinds.items() if there), "sound")
    print(f"{case:28}  {kind:8}  {'NaN' if nan else '0' if zero else 'sound'}")


def new(dtype=None):
    return keras.layers.BatchNormalization(momentum=0.0, dtype=dtype)


print("case                          variance  outputs")
for count in [0, 1, 2]:
    layer = new()
    layer(x[:count], training=True)
    show(f"batch of {count} rows", layer(x), layer.moving_variance)
gamma, beta, mean, variance = layer.get_weights()
for name, arrays in {
    "mean and variance swapped": [gamma, beta, variance, -mean],
    "in their order": [gamma, beta, mean, variance],
}.items():
    layer.set_weights(arrays)
    show(name, layer(x), layer.moving_variance)
for dtype in ["float16", "mixed_float16"]:
    layer = new(dtype)
    layer(100 * x, training=True)
    show(f"large values, {dtype}", layer(100 * x), layer.moving_variance)
images = np.random.normal(
    np.random.uniform(1e3, 1e5, size=64), 1, size=(8, 4, 4, 64)
).astype("float32")
layer = new()
layer.build(images.shape)
show("fused operation under XLA", *fused(images))
show("Keras layer under XLA", *layered(images))
# --8<-- [end:others]

# --8<-- [start:dead]
dead = keras.layers.BatchNormalization()
dead.build((None, 8))
dead.moving_variance.assign(np.full(8, 5.6e-45))
before = dead(x, training=False)
dead.moving_variance.assign(np.float16(dead.moving_variance))
print("variance 0:", not np.any(dead.moving_variance))
print("broken:", broken(dead))
print("outputs as before:", np.array_equal(dead(x, training=False), before))
# --8<-- [end:dead]
