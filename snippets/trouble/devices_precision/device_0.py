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


def make_model(synchronized):
    model = keras.Sequential(
        [
            keras.Input(shape=(2,)),
            keras.layers.BatchNormalization(
                name="bn", momentum=0.5, synchronized=synchronized
            ),
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
with strategy.scope():
    model = make_model(synchronized=False)
model.fit(x, y, batch_size=256, epochs=3, shuffle=False, verbose=0)
live = model.predict(x, batch_size=256, verbose=0)
model.save("net.keras")
loaded = keras.saving.load_model("net.keras")

for saved, array in zip(model.get_weights(), loaded.get_weights(), strict=True):
    np.testing.assert_array_equal(saved, array)
print("all arrays equal")
report("live", live)
report("loaded", loaded(x, training=False))
# --8<-- [end:see]

# --8<-- [start:copies]
bn = model.get_layer("bn")
for array in bn.weights:
    print(f"{array.name:16} equal on both: {np.array_equal(*copies(array))}")
for device, mean in enumerate(copies(bn.moving_mean)):
    print(f"moving_mean on device {device}:", mean.round())
print("moving_mean as it is read: ", bn.moving_mean.numpy().round())
# --8<-- [end:copies]

# --8<-- [start:formats]
first_device = model(x, training=False)  # outside of strategy.run: device 0
model.save_weights("net.weights.h5")
model.save("net.h5", include_optimizer=False)
path = tf.train.Checkpoint(model=model).save("net/checkpoint")
model.export("exported", verbose=False)

from_weights, from_checkpoint = make_model(False), make_model(False)
from_weights.load_weights("net.weights.h5")
status = tf.train.Checkpoint(model=from_checkpoint).restore(path)
status.assert_existing_objects_matched()
exported = tf.saved_model.load("exported")
ways = {
    ".keras": loaded,
    ".weights.h5": from_weights,
    ".h5": keras.saving.load_model("net.h5"),
    "Checkpoint": from_checkpoint,
    "export": exported.serve,
}
for way, copy in ways.items():
    answers = copy(x)
    same = np.allclose(answers, first_device, atol=1e-5)
    changed = np.abs(answers - live).max() > 0.5
    print(f"{way:11} as device 0: {same}  differs from live: {changed}")
# --8<-- [end:formats]

# --8<-- [start:fix]
with strategy.scope():
    model = make_model(synchronized=True)
model.fit(x, y, batch_size=256, epochs=3, shuffle=False, verbose=0)
# --8<-- [end:fix]

# --8<-- [start:sure]
live = model.predict(x, batch_size=256, verbose=0)
model.save("net.keras")
loaded = keras.saving.load_model("net.keras")
for array in model.get_layer("bn").weights:
    print(f"{array.name:16} equal on both: {np.array_equal(*copies(array))}")
gap = np.abs(loaded(x, training=False) - live).max()
print("loaded predicts as the devices did:", gap < 1e-5)
report("loaded", loaded(x, training=False))
# --8<-- [end:sure]
