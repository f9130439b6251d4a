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
x = np.random.normal(0, 1, size=(256, 2)).astype("float32")
x[128:] += 10  # the second device gets these
with strategy.scope():
    layer = keras.layers.BatchNormalization(momentum=0.0, name="bn")
    model = keras.Sequential([keras.Input(shape=(2,)), layer])
batches = tf.data.Dataset.from_tensor_slices(x).batch(256)
for batch in strategy.experimental_distribute_dataset(batches):
    strategy.run(model, args=(batch,), kwargs={"training": True})
# --8<-- [end:setup]

# --8<-- [start:see]
rows = np.concatenate([x[:1], x[:1]])
first, second = model.predict(rows, batch_size=2, verbose=0)
print("one row, two answers:", np.abs(first - second).max() > 0.5)
# --8<-- [end:see]

# --8<-- [start:fix]
answers = model(rows, training=False)
model.save("net.keras")
with strategy.scope():
    loaded = keras.saving.load_model("net.keras")
# --8<-- [end:fix]

# --8<-- [start:sure]
for name, net in {"trained": model, "loaded": loaded}.items():
    bn = net.get_layer("bn")
    print(name, "equal on both:", np.array_equal(*copies(bn.moving_mean)))
    gap = np.abs(net.predict(rows, batch_size=2, verbose=0) - answers).max()
    print(name, "answers as device 0 alone:", gap < 1e-5)
# --8<-- [end:sure]
