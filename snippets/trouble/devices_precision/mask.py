# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2
)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def copies(variable):
    values = strategy.experimental_local_results(variable.value)
    return [value.numpy() for value in values]


keras.utils.set_random_seed(0)
x = np.random.normal(0, 1, size=(256, 1, 2)).astype("float32")
x[128:] += 10  # the second device gets these
# --8<-- [end:setup]


# --8<-- [start:see]
def train_on(rows, masking):
    batches = tf.data.Dataset.from_tensor_slices(rows).batch(256)
    batch = next(iter(strategy.experimental_distribute_dataset(batches)))
    with strategy.scope():
        layer = keras.layers.BatchNormalization(momentum=0.0, synchronized=True)
        net = keras.Sequential([keras.Input((1, 2)), *masking, layer])
    strategy.run(net, args=(batch,), kwargs={"training": True})
    return layer


for masking in [[], [keras.layers.Masking()]]:
    layer = train_on(x, masking)
    alike = np.array_equal(*copies(layer.moving_mean))
    print(f"Masking: {bool(masking)!s:5}  equal on both devices: {alike}")
# --8<-- [end:see]

# --8<-- [start:fix]
shuffled = np.random.permutation(x)
layer = train_on(shuffled, [keras.layers.Masking()])

means = np.array(copies(layer.moving_mean))
variances = np.array(copies(layer.moving_variance))
layer.moving_mean.assign(means.mean(axis=0))
layer.moving_variance.assign(variances.mean(axis=0) + means.var(axis=0))
# --8<-- [end:fix]

# --8<-- [start:sure]
print("means apart before:", np.abs(means[0] - means[1]).max() > 0.05)
for array in [layer.moving_mean, layer.moving_variance]:
    print(array.name, "equal on both:", np.array_equal(*copies(array)))
# --8<-- [end:sure]
