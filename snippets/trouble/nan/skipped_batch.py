# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(128, 8)).astype("float32")
y = x[:, :1] - x[:, 1:2]
bad = x.copy()
bad[40, 3] = np.inf  # one value of 1024


def build(optimizer=None):
    model = keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.BatchNormalization(momentum=0.8, name="first"),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.BatchNormalization(momentum=0.8, name="second"),
            keras.layers.Dense(1),
        ]
    )
    model.compile(optimizer or "sgd", "mse", run_eagerly=True)
    return model


# --8<-- [end:setup]


# --8<-- [start:see]
def epoch(model, x):
    for rows in np.split(np.arange(128), 4):
        with tf.GradientTape() as tape:
            outputs = model(x[rows], training=True)
            loss = tf.reduce_mean((outputs - y[rows]) ** 2)
        if np.isfinite(loss):  # otherwise, skip the batch
            gradients = tape.gradient(loss, model.trainable_variables)
            model.optimizer.apply(gradients, model.trainable_variables)
    return float(loss)  # of the last batch


def row(case, model, loss):
    found = [w.name for w in model.weights if not np.isfinite(w).all()]
    statistics = sum("moving" in name for name in found)
    others = len(found) - statistics
    nans = np.isnan(model.predict(x, verbose=0)).sum()
    print(f"{case:23}  {np.isfinite(loss)!s:6}", end="  ")
    print(f"{others} of 8   {statistics} of 4      {nans:3} of 128")


def scaled():
    return keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.01))


print("one epoch, then another  finite  weights  statistics  predictions")
for case, net, data in [
    ("fit, all rows finite", build(), x),
    ("fit", build(), bad),
    ("fit, LossScaleOptimizer", build(scaled()), bad),
]:
    net.fit(data, y, verbose=0)
    row(case, net, net.fit(x, y, verbose=0).history["loss"][0])

model = build()
epoch(model, bad)
row("loop that skips batches", model, epoch(model, x))
# --8<-- [end:see]

# --8<-- [start:files]
model.save("broken.keras")
model.save_weights("broken.weights.h5")
path = tf.train.Checkpoint(model=model).save("broken/net")
from_weights, restored = build(), build()
from_weights.load_weights("broken.weights.h5")
tf.train.Checkpoint(model=restored).restore(path).expect_partial()
for way, loaded in {
    ".keras": keras.saving.load_model("broken.keras"),
    ".weights.h5": from_weights,
    "checkpoint": restored,
}.items():
    before = loaded.layers[-2].moving_mean.numpy()
    for _ in range(10):
        loaded(x, training=True)
    moved = not np.array_equal(loaded.layers[-2].moving_mean, before)
    nans = np.isnan(loaded(x, training=False)).sum()
    print(f"{way:11} a layer moved: {moved}", end="  ")
    print(f"predictions that are NaN: {nans} of {len(x)}")
# --8<-- [end:files]

# --8<-- [start:fix]
from bn_tools import broken, repair

clean = bad[np.isfinite(bad).reshape(len(bad), -1).all(axis=1)]
print("repaired:", *repair(model, [clean]))
print("still broken:", broken(model))
print("predictions are NaN:", np.isnan(model(x, training=False)).any())
# --8<-- [end:fix]

# --8<-- [start:sure]
data = tf.data.Dataset.from_tensor_slices((bad, y))
for case, rows in {
    "all rows": data,
    "finite rows": data.filter(
        lambda x, y: tf.reduce_all(tf.math.is_finite(x))
    ),
}.items():
    net = build(scaled())
    net.fit(rows.batch(32), verbose=0)
    print(f"{case:11} broken arrays: {len(broken(net))}")
# --8<-- [end:sure]

# --8<-- [start:half]
keras.config.set_dtype_policy("mixed_float16")
bad[40, 3] = 1e5
data = tf.data.Dataset.from_tensor_slices((bad, y))
for dtype in ["float32", "float16"]:
    rows = data.filter(
        lambda x, y, to=dtype: tf.reduce_all(tf.math.is_finite(tf.cast(x, to)))
    )
    net = build()
    net.fit(rows.batch(32), verbose=0)
    print(f"finite in {dtype}  broken arrays: {len(broken(net))}")
keras.config.set_dtype_policy("float32")
# --8<-- [end:half]
