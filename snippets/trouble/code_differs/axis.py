# --8<-- [start:setup]
import keras
import numpy as np

from bn_tools import compare, write_record

keras.utils.set_random_seed(0)
means = 0.1 * np.arange(8)
x = np.random.normal(means, 0.01, size=(64, 8, 8)).astype("float32")


def build(axis=-1):
    return keras.Sequential(
        [
            keras.Input(shape=(8, 8)),
            keras.layers.BatchNormalization(axis=axis, momentum=0.5, name="bn"),
            keras.layers.Conv1D(3, 3),
        ]
    )


model = build()
for _ in range(20):
    model(x, training=True)
predictions = model(x, training=False)
write_record("record.npz", model, x[:32])
model.save_weights("model.weights.h5")
model.save("model.keras")
# --8<-- [end:setup]

# --8<-- [start:see]
for axis in [-1, 1]:
    rebuilt = build(axis)
    rebuilt.load_weights("model.weights.h5")
    shape = rebuilt.get_layer("bn").moving_mean.shape
    off = np.max(np.abs(rebuilt(x, training=False) - predictions)) > 0.1
    print(f"axis {axis:2} moving_mean {shape} off by more than 0.1: {off}")
# --8<-- [end:see]

# --8<-- [start:fix]
print(*compare("record.npz", rebuilt), sep="\n")

rebuilt = build(axis=-1)
rebuilt.load_weights("model.weights.h5")
print("built with -1:", compare("record.npz", rebuilt))
# --8<-- [end:fix]

# --8<-- [start:sure]
loaded = keras.saving.load_model("model.keras")
print("axis:", loaded.get_layer("bn").axis)
# --8<-- [end:sure]
