# --8<-- [start:pool_replicas]
import numpy as np
from bn_tools import batch_norms


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


# --8<-- [end:pool_replicas]

# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2
)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
print("replicas:", strategy.num_replicas_in_sync)

keras.utils.set_random_seed(0)
level = np.tile(np.repeat([5.0, -5.0], 128), 8)  # of each row's camera
signal = np.random.normal(scale=3, size=2048)
background = np.random.normal(scale=0.3, size=2048)

x = np.stack([level + signal, level + background], axis=1).astype("float32")
y = (signal > 0).astype("float32")
bright, dark = level > 0, level < 0


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


def copies(variable):
    values = strategy.experimental_local_results(variable.value)
    return [value.numpy() for value in values]


def report(case, predictions):
    right = (np.ravel(predictions) > 0.5) == y
    for camera, rows in {"bright": bright, "dark": dark}.items():
        accuracy = np.mean(right[rows])
        grade = "at least 0.9" if accuracy >= 0.9 else "below 0.9"
        if accuracy < 0.6:
            grade = "below 0.6"
        print(f"{case:12} {camera:6} accuracy {grade}")


# --8<-- [end:setup]

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


rows = tf.data.Dataset.from_tensor_slices((x, y))
shuffled = rows.shuffle(2048, seed=0, reshuffle_each_iteration=False)
train(shuffled)
# --8<-- [end:loop]

# --8<-- [start:save]
bn = looped.get_layer("bn")
print("equal before:", np.array_equal(*copies(bn.moving_mean)))
pool_replicas(looped, strategy)
print("equal pooled:", np.array_equal(*copies(bn.moving_mean)))

live = looped.predict(x, batch_size=256, verbose=0)
looped.save("net.keras")
loaded = keras.saving.load_model("net.keras")
gap = np.abs(loaded(x, training=False) - live).max()
print("loaded predicts as the devices did:", gap < 1e-5)
report("loaded", loaded(x, training=False))
np.savez("expected.npz", *looped.get_weights(), x=x, predictions=live)
# --8<-- [end:save]

# --8<-- [start:reload]
import keras
import numpy as np

loaded = keras.saving.load_model("net.keras")
expected = np.load("expected.npz")

for i, array in enumerate(loaded.get_weights()):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
np.testing.assert_allclose(
    loaded(expected["x"], training=False), expected["predictions"], atol=1e-5
)
print("equal on one device, in a process that did not save")
# --8<-- [end:reload]

# --8<-- [start:sorted]
train(rows)
report("live", looped.predict(x, batch_size=256, verbose=0))
report("saved", looped(x, training=False))
# --8<-- [end:sorted]

# --8<-- [start:average]
alone = keras.layers.BatchNormalization(momentum=0.8)
for batch, _ in rows.repeat(4).batch(256):
    alone(batch, training=True)

bn = looped.get_layer("bn")
average = np.mean(copies(bn.moving_variance), axis=0)
pool_replicas(looped, strategy)
for name in ["moving_mean", "moving_variance"]:
    pooled, expected = getattr(bn, name), getattr(alone, name)
    equal = np.array_equal(*copies(pooled))
    close = np.allclose(pooled.numpy(), expected, rtol=0.01, atol=0.01)
    print(f"{name}: equal: {equal}, as on one device: {close}")
close = np.allclose(average, alone.moving_variance, rtol=0.01)
print("average of the variances, as on one device:", close)
# --8<-- [end:average]

# --8<-- [start:frozen]
rows = tf.data.Dataset.from_tensor_slices(x).batch(256)
batch = next(iter(strategy.experimental_distribute_dataset(rows)))
for trainable in [True, False]:
    with strategy.scope():
        loaded = keras.saving.load_model("net.keras")
    layer = loaded.get_layer("bn")
    layer.trainable = trainable
    strategy.run(loaded, args=(batch,), kwargs={"training": True})
    first, second = copies(layer.moving_mean)
    alike = np.array_equal(first, second)
    print(f"trainable={trainable!s:5}  equal on both devices: {alike}")
# --8<-- [end:frozen]
