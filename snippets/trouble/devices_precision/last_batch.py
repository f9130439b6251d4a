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


def sizes(dataset):
    for batch in strategy.experimental_distribute_dataset(dataset):
        print(
            [len(part) for part in strategy.experimental_local_results(batch)]
        )


def make_model(**settings):
    with strategy.scope():
        layer = keras.layers.BatchNormalization(name="bn", **settings)
        model = keras.Sequential(
            [keras.Input(shape=(2,)), layer, keras.layers.Dense(1)]
        )
        model.compile(keras.optimizers.SGD(0.01), "mse")
    return model


keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(257, 2)).astype("float32")
rows = tf.data.Dataset.from_tensor_slices(x)
pairs = tf.data.Dataset.from_tensor_slices((x, x[:, :1]))
# --8<-- [end:setup]

# --8<-- [start:see]
model = make_model()
model.fit(pairs.batch(256), shuffle=False, verbose=0)

sizes(rows.batch(256))
for array in model.get_layer("bn").weights:
    nans = [bool(np.isnan(copy).any()) for copy in copies(array)]
    print(f"{array.name:16} NaN on device 0: {nans[0]}, on device 1: {nans[1]}")
print("all answers NaN:", np.isnan(model(x, training=False)).all())
# --8<-- [end:see]

# --8<-- [start:fix]
model = make_model()
model.fit(pairs.batch(256, drop_remainder=True), shuffle=False, verbose=0)
# --8<-- [end:fix]

# --8<-- [start:sure]
sizes(rows.batch(256, drop_remainder=True))
found = [np.isnan(copies(array)).any() for array in model.weights]
print("NaN:", any(found))

for synchronized in [False, True]:
    model = make_model(synchronized=synchronized)
    model.fit(x, x[:, :1], batch_size=256, shuffle=False, verbose=0)
    found = [np.isnan(copies(array)).any() for array in model.weights]
    print(f"arrays, synchronized={synchronized!s:5}  NaN: {any(found)}")
# --8<-- [end:sure]
