# --8<-- [start:model]
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(256, 8)).astype("float32")
y = x[:, :1] - x[:, 1:2]
bad = x.copy()
bad[100, 3] = np.inf  # one value of 2048


def build(**options):
    layers = [
        keras.Input(shape=(8,)),
        keras.layers.Dense(16, name="dense"),
        keras.layers.BatchNormalization(momentum=0.9, name="bn"),
        keras.layers.ReLU(),
        keras.layers.Dense(1, name="head"),
    ]
    model = keras.Sequential(layers, name="net")
    optimizer = keras.optimizers.Adam(0.05, **options)
    model.compile(optimizer=optimizer, loss="mean_squared_error")
    return model


# --8<-- [end:model]

# --8<-- [start:train]
model = build()
skipped = 0
for step in range(32):
    rows = slice(32 * (step % 8), 32 * (step % 8 + 1))
    with tf.GradientTape() as tape:
        outputs = model(bad[rows], training=True)
        loss = tf.reduce_mean((outputs - y[rows]) ** 2)
    if not np.isfinite(loss):
        skipped += 1
        continue
    gradients = tape.gradient(loss, model.trainable_variables)
    model.optimizer.apply(gradients, model.trainable_variables)
print("batches skipped:", skipped, "of", step + 1)
print("last loss finite:", np.isfinite(loss))
# --8<-- [end:train]

# --8<-- [start:see]
predictions = model(x, training=False).numpy()
print("predictions that are NaN:", np.isnan(predictions).sum(), "of", len(x))
# --8<-- [end:see]

# --8<-- [start:formats]
model.save("poisoned.keras")
model.save_weights("poisoned.weights.h5")
path = tf.train.Checkpoint(model=model).save("poisoned/net")
whole = keras.saving.load_model("poisoned.keras")
whole.save("poisoned.h5")  # a copy, because this changes what it saves

from_weights, restored = build(), build()
from_weights.load_weights("poisoned.weights.h5")
tf.train.Checkpoint(model=restored).restore(path).expect_partial()
for way, loaded in {
    ".keras": whole,
    ".weights.h5": from_weights,
    "checkpoint": restored,
    ".h5": keras.saving.load_model("poisoned.h5"),
}.items():
    for saved, array in zip(
        model.get_weights(), loaded.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(saved, array)  # NaN equals NaN here
    print(f"{way:11} loads, equal arrays")
# --8<-- [end:formats]

# --8<-- [start:heal]
bn = model.get_layer("bn")
for _ in range(100):
    model(x, training=True)
print("channels with a NaN variance:", np.isnan(bn.moving_variance).sum())
print("0.9 * nan + 0.1 * 1.0 =", 0.9 * np.nan + 0.1 * 1.0)
# --8<-- [end:heal]


# --8<-- [start:broken]
def broken(model):
    found = []
    for variable in model.variables:
        array = variable.numpy()
        wrong = ~np.isfinite(array)
        if variable.name == "moving_variance":
            wrong |= array < 0
        if wrong.any():
            found.append(f"{variable.path}: {wrong.sum()} of {array.size}")
    return found


print(*broken(model), sep="\n")
# --8<-- [end:broken]

# --8<-- [start:nested]
inner = keras.Sequential(
    [keras.Input((8,)), keras.layers.BatchNormalization(name="deep")],
    name="inner",
)
outer = keras.Sequential([keras.Input((8,)), inner, keras.layers.Dense(1)])
outer(bad, training=True)
print(*broken(outer), sep="\n")
# --8<-- [end:nested]


# --8<-- [start:momentum]
def estimate(model):
    layers = [
        layer
        for layer in model.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.momentum = 0.0
    model(x, training=True)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum


estimate(model)
print("arrays still broken:", len(broken(model)))
# --8<-- [end:momentum]


# --8<-- [start:recover]
def reset(model):
    for variable in model.variables:
        if variable.name == "moving_mean":
            variable.assign(np.zeros(variable.shape))
        if variable.name == "moving_variance":
            variable.assign(np.ones(variable.shape))


before = [v.numpy() for v in model.trainable_variables]
reset(model)
estimate(model)
print("arrays still broken:", len(broken(model)))
for old, new in zip(before, model.trainable_variables, strict=True):
    np.testing.assert_array_equal(old, new)
print("trainable arrays kept:", len(before))
# --8<-- [end:recover]

# --8<-- [start:prove]
features = model.get_layer("dense")(x).numpy()
close = {"rtol": 1e-3, "atol": 1e-3}  # NumPy adds in another order
np.testing.assert_allclose(bn.moving_mean, features.mean(axis=0), **close)
np.testing.assert_allclose(bn.moving_variance, features.var(axis=0), **close)
predictions = model(x, training=False).numpy()
print("predictions finite:", np.isfinite(predictions).all())
error = np.mean((predictions - y) ** 2) / np.var(y)
print("error below a tenth of the variance of y:", error < 0.1)
# --8<-- [end:prove]

# --8<-- [start:save]
model.save("repaired.keras")
np.savez("expected.npz", *model.get_weights(), x=x, predictions=predictions)
# --8<-- [end:save]

# --8<-- [start:reload]
import keras
import numpy as np

loaded = keras.saving.load_model("repaired.keras")
expected = np.load("expected.npz")

for i, array in enumerate(loaded.get_weights()):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
    assert np.isfinite(array).all()
np.testing.assert_array_equal(
    loaded(expected["x"], training=False), expected["predictions"]
)
print("equal and finite in a process that did not save")
# --8<-- [end:reload]

# --8<-- [start:weights]
clipped = build(clipnorm=1.0)
clipped.train_on_batch(bad[96:128], y[96:128])
print("arrays broken:", len(broken(clipped)), "of", len(clipped.variables))

reset(clipped)
estimate(clipped)
print("after the repair:", len(broken(clipped)))
# --8<-- [end:weights]

# --8<-- [start:moments]
clipped.set_weights(model.get_weights())
clipped.train_on_batch(x[:32], y[:32])
print("arrays broken:", len(broken(clipped)), "of", len(clipped.variables))
# --8<-- [end:moments]

# --8<-- [start:older]
older = keras.saving.load_model("repaired.keras")
older.train_on_batch(x[:32], y[:32])
print("arrays broken:", len(broken(older)))
# --8<-- [end:older]

# --8<-- [start:rows]
keep = np.isfinite(bad).all(axis=1)
print("rows dropped:", np.sum(~keep))

data = tf.data.Dataset.from_tensor_slices((bad, y))
data = data.filter(lambda row, target: tf.reduce_all(tf.math.is_finite(row)))
sound = build()
for rows, targets in data.batch(32):
    sound(rows, training=True)
print("broken:", broken(sound))
# --8<-- [end:rows]


# --8<-- [start:guard]
class StopIfBroken(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        problems = broken(self.model)
        if problems:
            raise RuntimeError(f"after epoch {epoch + 1}: {problems[0]}")


def fit(model, *callbacks, epochs=1):
    return model.fit(
        x,
        y,
        validation_data=(x, y),
        epochs=epochs,
        callbacks=list(callbacks),
        verbose=0,
    ).history


net = keras.saving.load_model("repaired.keras")
guard = StopIfBroken()
checkpoint = keras.callbacks.ModelCheckpoint("guarded.keras")
fit(net, guard, checkpoint)
net(bad, training=True)
try:
    fit(net, guard, checkpoint)
except RuntimeError as error:
    print("RuntimeError:", error)
print("file:", broken(keras.saving.load_model("guarded.keras")))
# --8<-- [end:guard]

# --8<-- [start:guard_last]
try:
    fit(net, checkpoint, guard)
except RuntimeError as error:
    print("RuntimeError:", error)
print("file:", *broken(keras.saving.load_model("guarded.keras")))
# --8<-- [end:guard_last]

# --8<-- [start:terminate]
history = fit(net, keras.callbacks.TerminateOnNaN(), checkpoint, epochs=3)
print("epochs run:", len(history["loss"]))
print("each loss finite:", np.isfinite(history["loss"]).all())
print("any val_loss finite:", np.isfinite(history["val_loss"]).any())
# --8<-- [end:terminate]

# --8<-- [start:terminate_late]
net = keras.saving.load_model("repaired.keras")


def fit_bad(*callbacks):
    net.fit(bad, y, shuffle=False, callbacks=list(callbacks), verbose=0)


net.save("guarded.keras")
fit_bad(keras.callbacks.TerminateOnNaN(), checkpoint)
file = keras.saving.load_model("guarded.keras")
print("arrays broken in the file:", len(broken(file)))
# --8<-- [end:terminate_late]

# --8<-- [start:terminate_fix]
net = keras.saving.load_model("repaired.keras")
net.save("guarded.keras")
try:
    fit_bad(keras.callbacks.TerminateOnNaN(raise_error=True), checkpoint)
except RuntimeError as error:
    print("RuntimeError:", error)
file = keras.saving.load_model("guarded.keras")
print("arrays broken in the file:", len(broken(file)))
# --8<-- [end:terminate_fix]

# --8<-- [start:best]
net = keras.saving.load_model("repaired.keras")
best = {
    monitor: keras.callbacks.ModelCheckpoint(
        f"best-{monitor}.keras", monitor=monitor, save_best_only=True
    )
    for monitor in ["loss", "val_loss"]
}
fit(net, *best.values())
net(bad, training=True)
fit(net, *best.values(), epochs=3)
for monitor in best:
    file = keras.saving.load_model(f"best-{monitor}.keras")
    print(f"{monitor:8} arrays broken:", len(broken(file)))
# --8<-- [end:best]

# --8<-- [start:best_first]
late = keras.callbacks.ModelCheckpoint(
    "late.keras", monitor="val_loss", save_best_only=True
)
fit(net, late)
reset(net)
estimate(net)
history = fit(net, late)
print("val_loss finite:", np.isfinite(history["val_loss"]).all())
file = keras.saving.load_model("late.keras")
print("arrays broken in the file:", len(broken(file)))
# --8<-- [end:best_first]

# --8<-- [start:empty]
net(x[:0], training=True)
print(*broken(net), sep="\n")
# --8<-- [end:empty]

# --8<-- [start:empty_fix]
reset(net)
estimate(net)
for rows in [x[:32], x[:0], x[32:64]]:
    if len(rows):
        net(rows, training=True)
print("broken:", broken(net))
# --8<-- [end:empty_fix]

# --8<-- [start:one]
for _ in range(100):
    net(x[:1], training=True)
print("broken:", broken(net))
print("variance below 0.1:", np.all(net.get_layer("bn").moving_variance < 0.1))
# --8<-- [end:one]

# --8<-- [start:scaled]
scaled = build()
scaled.compile(
    optimizer=keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam()),
    loss="mean_squared_error",
)
scaled.train_on_batch(bad[96:128], y[96:128])
print(*broken(scaled), sep="\n")
# --8<-- [end:scaled]

# --8<-- [start:swapped]
ported = build()
gamma, beta, mean, variance = model.get_layer("bn").get_weights()
ported.get_layer("bn").set_weights([gamma, beta, variance, mean])
print("negative:", broken(ported)[0].partition(":")[0])
print("any NaN:", np.isnan(ported(x, training=False)).any())

ported.get_layer("bn").set_weights([gamma, beta, mean, variance])
print("broken:", broken(ported))
print("any NaN:", np.isnan(ported(x, training=False)).any())
# --8<-- [end:swapped]

# --8<-- [start:half]
large = np.random.normal(0, 1000, size=(256, 4))
for policy in ["float16", "mixed_float16"]:
    layer = keras.layers.BatchNormalization(momentum=0.0, dtype=policy)
    layer(large, training=True)
    finite = np.isfinite(layer.moving_variance).all()
    zero = not np.any(layer(large, training=False))
    print(f"{policy:13} variance finite: {finite}  all outputs 0: {zero}")
# --8<-- [end:half]


# --8<-- [start:xla]
@tf.function(jit_compile=True)
def fused(images):
    one, zero = tf.ones(64), tf.zeros(64)
    return tf.compat.v1.nn.fused_batch_norm(images, one, zero)


@tf.function(jit_compile=True)
def layered(images):
    return layer(images, training=True)


means = np.random.uniform(1e3, 1e5, size=64)
images = np.random.normal(means, 1, size=(8, 4, 4, 64)).astype("float32")
layer = keras.layers.BatchNormalization(momentum=0.0)
layer.build(images.shape)

outputs, mean, variance = fused(images)
print("fused operation, negative:", np.any(variance < 0))
print("fused operation, outputs NaN:", np.isnan(outputs).any())
outputs = layered(images)
print("layer, negative:", np.any(layer.moving_variance < 0))
print("layer, outputs NaN:", np.isnan(outputs).any())
mean, variance = tf.nn.moments(images, axes=[0, 1, 2])
print("tf.nn.moments, negative:", np.any(variance < 0))
# --8<-- [end:xla]
