# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2
)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])

keras.utils.set_random_seed(0)
level = np.tile(np.repeat([5.0, -5.0], 128), 8)  # of each row's camera
signal = np.random.normal(scale=3, size=2048)
background = np.random.normal(scale=0.3, size=2048)
x = np.stack([level + signal, level + background], axis=1).astype("float32")
y = (signal > 0).astype("float32")
bright, dark = level > 0, level < 0


def make_model():
    model = keras.Sequential(
        [
            keras.Input(shape=(2,)),
            keras.layers.BatchNormalization(name="bn", momentum=0.5),
            keras.layers.Dense(
                1, activation="sigmoid", kernel_initializer="zeros"
            ),
        ]
    )
    model.compile(keras.optimizers.SGD(0.7), "binary_crossentropy")
    return model


def copies(variable):
    values = strategy.experimental_local_results(variable.value)
    return [value.numpy() for value in values]


def pool(bn):
    means, variances = (
        np.array(copies(array))
        for array in [bn.moving_mean, bn.moving_variance]
    )
    bn.moving_mean.assign(means.mean(axis=0))
    bn.moving_variance.assign(variances.mean(axis=0) + means.var(axis=0))


def report(case, predictions):
    right = (np.ravel(predictions) > 0.5) == y
    for camera, rows in {"bright": bright, "dark": dark}.items():
        accuracy = np.mean(right[rows])
        grade = "at least 0.9" if accuracy >= 0.9 else "below 0.9"
        if accuracy < 0.6:
            grade = "below 0.6"
        print(f"{case:12} {camera:6} accuracy {grade}")


# --8<-- [end:setup]

# --8<-- [start:see]
from bn_tools import estimate_again

with strategy.scope():
    model = make_model()
model.fit(x, y, batch_size=256, epochs=3, shuffle=False, verbose=0)
model.save("apart.keras")
report("each its own", model.predict(x, batch_size=256, verbose=0))

pool(model.get_layer("bn"))
report("pooled", model(x, training=False))

single = keras.saving.load_model("apart.keras")
estimate_again(single, [x])
report("re-estimated", single(x, training=False))
# --8<-- [end:see]

# --8<-- [start:fix]
with strategy.scope():
    shuffled = make_model()
order = np.random.permutation(len(x))
shuffled.fit(
    x[order], y[order], batch_size=256, epochs=3, shuffle=False, verbose=0
)
pool(shuffled.get_layer("bn"))
# --8<-- [end:fix]

# --8<-- [start:sure]
shuffled.save("net.keras")
loaded = keras.saving.load_model("net.keras")
report("shuffled", loaded(x, training=False))
# --8<-- [end:sure]
