# --8<-- [start:strategy]
import keras
import numpy as np
import tensorflow as tf
from bn_tools import batch_norms, estimate_again

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2
)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
print("replicas:", strategy.num_replicas_in_sync)
# --8<-- [end:strategy]

# --8<-- [start:data]
keras.utils.set_random_seed(0)
level = np.tile(np.repeat([5.0, -5.0], 128), 8)  # of each row's camera
signal = np.random.normal(scale=3, size=2048)
background = np.random.normal(scale=0.3, size=2048)

x = np.stack([level + signal, level + background], axis=1).astype("float32")
y = (signal > 0).astype("float32")
bright, dark = level > 0, level < 0
# --8<-- [end:data]


# --8<-- [start:model]
def make_model(synchronized):
    model = keras.Sequential(
        [
            keras.Input(shape=(2,)),
            keras.layers.BatchNormalization(
                name="bn", momentum=0.8, synchronized=synchronized
            ),
            keras.layers.Dense(
                1, activation="sigmoid", kernel_initializer="zeros"
            ),
        ]
    )
    model.compile(keras.optimizers.SGD(0.3), "binary_crossentropy")
    return model


# --8<-- [end:model]

# --8<-- [start:train]
with strategy.scope():
    model = make_model(synchronized=True)
model.fit(x, y, batch_size=256, epochs=8, shuffle=False, verbose=0)
# --8<-- [end:train]


# --8<-- [start:replicas]
def copies(variable):
    values = strategy.experimental_local_results(variable.value)
    return [value.numpy() for value in values]


alone = keras.layers.BatchNormalization(momentum=0.8)
for start in list(range(0, 2048, 256)) * 8:
    alone(x[start : start + 256], training=True)

for name in ["moving_mean", "moving_variance"]:
    first, second = copies(getattr(model.get_layer("bn"), name))
    np.testing.assert_array_equal(first, second)
    # The sums run in another order.
    np.testing.assert_allclose(
        first, getattr(alone, name), rtol=1e-3, atol=1e-3
    )
    print(f"{name:16} equal on both devices, and as on one device")
# --8<-- [end:replicas]

# --8<-- [start:save]
live = model.predict(x, batch_size=256, verbose=0)
model.save("net.keras")
reloaded = keras.saving.load_model("net.keras")

for saved, loaded in zip(
    model.get_weights(), reloaded.get_weights(), strict=True
):
    np.testing.assert_array_equal(saved, loaded)
answers = reloaded(x, training=False)
# Batches of another size: the last digits may differ.
np.testing.assert_allclose(answers, live, atol=1e-5)
print("6 arrays and 2048 predictions as on two devices")
print("synchronized:", reloaded.get_layer("bn").synchronized)
# --8<-- [end:save]


# --8<-- [start:accuracy]
def report(case, predictions):
    right = (np.ravel(predictions) > 0.5) == y
    for camera, rows in {"bright": bright, "dark": dark}.items():
        accuracy = np.mean(right[rows])
        grade = "at least 0.9" if accuracy >= 0.9 else "below 0.9"
        if accuracy < 0.6:
            grade = "below 0.6"
        print(f"{case:12} {camera:6} accuracy {grade}")


report("live", live)
report("reloaded", answers)
# --8<-- [end:accuracy]

# --8<-- [start:expect]
np.savez("expected.npz", *model.get_weights(), x=x, predictions=live)
# --8<-- [end:expect]

# --8<-- [start:reload]
import keras
import numpy as np

loaded = keras.saving.load_model("net.keras")
expected = np.load("expected.npz")

for i, array in enumerate(loaded.get_weights()):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
np.testing.assert_allclose(
    loaded.predict(expected["x"], verbose=0), expected["predictions"], atol=1e-5
)
print("equal on one device, in a process that did not save")
# --8<-- [end:reload]

# --8<-- [start:unsynchronized]
with strategy.scope():
    apart = make_model(synchronized=False)
apart.fit(x, y, batch_size=256, epochs=8, shuffle=False, verbose=0)

bn = apart.get_layer("bn")
for array in bn.weights:
    print(f"{array.name:16} equal on both: {np.array_equal(*copies(array))}")
for device, mean in enumerate(copies(bn.moving_mean)):
    print(f"moving_mean on device {device}:", mean.round())
print("moving_mean as it is read: ", bn.moving_mean.numpy().round())
# --8<-- [end:unsynchronized]

# --8<-- [start:changed]
live = apart.predict(x, batch_size=256, verbose=0)
apart.save("apart.keras")
reloaded = keras.saving.load_model("apart.keras")

for saved, loaded in zip(
    apart.get_weights(), reloaded.get_weights(), strict=True
):
    np.testing.assert_array_equal(saved, loaded)
print("all arrays equal")
report("live", live)
report("reloaded", reloaded(x, training=False))
# --8<-- [end:changed]

# --8<-- [start:pair]
row = x[dark][:1]
pair = apart.predict(np.concatenate([row, row]), batch_size=2, verbose=0)
print("one row, two answers:", abs(pair[0, 0] - pair[1, 0]) > 0.5)
# --8<-- [end:pair]

# --8<-- [start:formats]
first_device = apart(x, training=False)  # outside of strategy.run: device 0
apart.save_weights("apart.weights.h5")
apart.save("apart.h5", include_optimizer=False)
path = tf.train.Checkpoint(model=apart).save("apart/checkpoint")
apart.export("exported", verbose=False)

from_weights, from_checkpoint = make_model(False), make_model(False)
from_weights.load_weights("apart.weights.h5")
status = tf.train.Checkpoint(model=from_checkpoint).restore(path)
status.assert_existing_objects_matched()
exported = tf.saved_model.load("exported")
ways = {
    ".keras": reloaded,
    ".weights.h5": from_weights,
    ".h5": keras.saving.load_model("apart.h5"),
    "Checkpoint": from_checkpoint,
    "export": exported.serve,
}
for way, copy in ways.items():
    answers = copy(x)
    same = np.allclose(answers, first_device, atol=1e-5)
    changed = np.abs(answers - live).max() > 0.5
    print(f"{way:11} as device 0: {same}  differs from live: {changed}")
# --8<-- [end:formats]

# --8<-- [start:under]
with strategy.scope():
    under = keras.saving.load_model("apart.keras")
for array in under.get_layer("bn").weights:
    np.testing.assert_array_equal(*copies(array))
np.testing.assert_allclose(
    under.predict(x, batch_size=256, verbose=0), first_device, atol=1e-5
)
print("both devices hold, and answer with, the arrays of the file")
# --8<-- [end:under]


# --8<-- [start:average]
def pool_replicas(model, strategy):
    """Write the statistics of all devices together to each device."""
    pooled = []
    for layer in batch_norms(model):
        means, variances = (
            np.array(
                [v.numpy() for v in strategy.experimental_local_results(a)]
            )
            for a in (layer.moving_mean.value, layer.moving_variance.value)
        )
        if len(means) != strategy.num_replicas_in_sync:
            raise ValueError("not a model of this strategy")
        if not np.isfinite([means, variances]).all():
            raise ValueError(f"{layer.name}: a device has NaN or infinity")
        if getattr(layer, "renorm", False):
            raise ValueError(f"{layer.name}: renorm=True keeps more arrays")
        # Of the whole: the variance within the shares, and between their means.
        whole = variances.mean(axis=0) + means.var(axis=0)
        pooled.append((layer, means.mean(axis=0), whole))
    for layer, mean, variance in pooled:
        layer.moving_mean.assign(mean)
        layer.moving_variance.assign(variance)


variances = np.array(copies(bn.moving_variance))
pool_replicas(apart, strategy)
whole = alone.moving_variance.numpy()
print("average of the variances is that of the whole:", end=" ")
print(np.allclose(variances.mean(axis=0), whole, rtol=0.01))
for name in ["moving_mean", "moving_variance"]:
    first, second = copies(getattr(bn, name))
    np.testing.assert_array_equal(first, second)
    close = np.allclose(first, getattr(alone, name), rtol=0.01, atol=0.01)
    print(f"pooled {name} on both devices is as on one: {close}")
# --8<-- [end:average]

# --8<-- [start:too_late]
report("each its own", live)
live = apart.predict(x, batch_size=256, verbose=0)
apart.save("pooled.keras")
pooled = keras.saving.load_model("pooled.keras")
np.testing.assert_allclose(pooled(x, training=False), live, atol=1e-5)
report("pooled", live)

single = keras.saving.load_model("apart.keras")
estimate_again(single, [x])
report("re-estimated", single(x, training=False))
# --8<-- [end:too_late]

# --8<-- [start:loop]
with strategy.scope():
    looped = make_model(synchronized=False)
    optimizer = keras.optimizers.Adam(0.2)
    optimizer.build(looped.trainable_variables)
arrays = looped.weights + optimizer.variables
start = [array.numpy() for array in arrays]


def replica_step(x_part, y_part):
    with tf.GradientTape() as tape:
        outputs = looped(x_part, training=True)
        losses = keras.losses.binary_crossentropy(y_part[:, None], outputs)
        loss = tf.nn.compute_average_loss(losses)
    gradients = tape.gradient(loss, looped.trainable_variables)
    optimizer.apply_gradients(
        zip(gradients, looped.trainable_variables, strict=True)
    )


@tf.function
def train_step(x_batch, y_batch):
    strategy.run(replica_step, args=(x_batch, y_batch))


def train(dataset):
    for array, value in zip(arrays, start, strict=True):
        array.assign(value)
    batches = dataset.repeat(4).batch(256, drop_remainder=True)
    for batch in strategy.experimental_distribute_dataset(batches):
        train_step(*batch)
    first, second = copies(looped.get_layer("bn").moving_mean)
    print("moving means apart by 1:", np.abs(first - second).max() > 1)
    report("live", looped.predict(x, batch_size=256, verbose=0))
    report("saved", looped(x, training=False))


rows = tf.data.Dataset.from_tensor_slices((x, y))
train(rows)
# --8<-- [end:loop]

# --8<-- [start:shuffled]
train(rows.shuffle(2048, seed=0))
# --8<-- [end:shuffled]

# --8<-- [start:frozen]
rows = tf.data.Dataset.from_tensor_slices(x).batch(256)
batch = next(iter(strategy.experimental_distribute_dataset(rows)))
for trainable in [True, False]:
    with strategy.scope():
        loaded = keras.saving.load_model("apart.keras")
    layer = loaded.get_layer("bn")
    layer.trainable = trainable
    strategy.run(loaded, args=(batch,), kwargs={"training": True})
    first, second = copies(layer.moving_mean)
    alike = np.array_equal(first, second)
    print(f"trainable={trainable!s:5}  equal on both devices: {alike}")
# --8<-- [end:frozen]


# --8<-- [start:remainder]
def sizes(dataset):
    for batch in strategy.experimental_distribute_dataset(dataset):
        print(
            [len(part) for part in strategy.experimental_local_results(batch)]
        )


with strategy.scope():
    short = make_model(synchronized=False)
short.fit(x[:257], y[:257], batch_size=256, verbose=0)

sizes(tf.data.Dataset.from_tensor_slices(x[:257]).batch(256))
for array in short.get_layer("bn").weights:
    nans = [bool(np.isnan(copy).any()) for copy in copies(array)]
    print(f"{array.name:16} NaN on device 0: {nans[0]}, on device 1: {nans[1]}")
print("all answers NaN:", np.isnan(short(x, training=False)).all())
try:
    pool_replicas(short, strategy)
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:remainder]

# --8<-- [start:whole_batches]
rest = tf.data.Dataset.from_tensor_slices(x[256:257]).batch(256)
batch = next(iter(strategy.experimental_distribute_dataset(rest)))
for synchronized in [False, True]:
    with strategy.scope():
        layer = keras.layers.BatchNormalization(synchronized=synchronized)
        layer.build((None, 2))
    strategy.run(layer, args=(batch,), kwargs={"training": True})
    finite = np.isfinite(copies(layer.moving_mean)).all()
    print(f"synchronized={synchronized!s:5}  no NaN on 1 row and 0: {finite}")

sizes(
    tf.data.Dataset.from_tensor_slices(x[:257]).batch(256, drop_remainder=True)
)
# --8<-- [end:whole_batches]

# --8<-- [start:masked]
steps = tf.data.Dataset.from_tensor_slices(x[:256, None]).batch(256)
batch = next(iter(strategy.experimental_distribute_dataset(steps)))
for masking in [[], [keras.layers.Masking()]]:
    with strategy.scope():
        layer = keras.layers.BatchNormalization(synchronized=True)
        net = keras.Sequential([keras.Input((1, 2)), *masking, layer])
    strategy.run(net, args=(batch,), kwargs={"training": True})
    alike = np.array_equal(*copies(layer.moving_mean))
    print(f"Masking: {bool(masking)!s:5}  equal on both devices: {alike}")
# --8<-- [end:masked]

# --8<-- [start:second]
second = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with second.scope():
    other = make_model(synchronized=False)
try:
    other.fit(x, y, batch_size=256, verbose=0)
except tf.errors.InvalidArgumentError as error:
    start = error.message.index("Collective ops")
    print("InvalidArgumentError:", error.message[start:].partition(" Op at")[0])
# --8<-- [end:second]
