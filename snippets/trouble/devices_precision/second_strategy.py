# --8<-- [start:see]
import keras
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2
)


def train(strategy, features):
    with strategy.scope():
        model = keras.Sequential(
            [
                keras.Input(shape=(features,)),
                keras.layers.BatchNormalization(),
                keras.layers.Dense(1),
            ]
        )
        model.compile("sgd", "mse")
    x = np.ones((64, features))
    model.fit(x, x[:, :1], batch_size=32, verbose=0)
    print(features, "features: trained")


train(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]), features=2)
try:
    train(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]), features=3)
except tf.errors.InvalidArgumentError as error:
    start = error.message.index("Collective ops")
    print("InvalidArgumentError:", error.message[start:].partition(" Op at")[0])
# --8<-- [end:see]

# --8<-- [start:fix]
import keras
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2
)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def train(strategy, features):
    with strategy.scope():
        model = keras.Sequential(
            [
                keras.Input(shape=(features,)),
                keras.layers.BatchNormalization(),
                keras.layers.Dense(1),
            ]
        )
        model.compile("sgd", "mse")
    x = np.ones((64, features))
    model.fit(x, x[:, :1], batch_size=32, verbose=0)
    print(features, "features: trained")


train(strategy, features=2)
train(strategy, features=3)
# --8<-- [end:fix]

# --8<-- [start:sure]
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2
)

for run in [1, 2]:  # as if a cell of a notebook ran twice
    if "strategy" not in globals():
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        first = strategy

print("replicas:", strategy.num_replicas_in_sync)
print("one strategy:", strategy is first)
# --8<-- [end:sure]
