# --8<-- [start:strategy]
import keras
import numpy as np
import tensorflow as tf

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
    model.compile(keras.optimizers.SGD(0.7), "binary_crossentropy")
    return model


# --8<-- [end:model]

# --8<-- [start:train]
with strategy.scope():
    model = make_model(synchronized=True)
model.fit(x, y, batch_size=256, epochs=4, shuffle=False, verbose=0)
# --8<-- [end:train]


# --8<-- [start:replicas]
def copies(variable):
    values = strategy.experimental_local_results(variable.value)
    return [value.numpy() for value in values]


alone = keras.layers.BatchNormalization(momentum=0.8)
for start in list(range(0, 2048, 256)) * 4:
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
    loaded(expected["x"], training=False), expected["predictions"], atol=1e-5
)
print("equal on one device, in a process that did not save")
# --8<-- [end:reload]
