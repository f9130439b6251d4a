# --8<-- [start:setup]
import keras
import numpy as np

from bn_tools import compare, write_record

keras.utils.set_random_seed(0)
x = np.random.normal(0, 0.01, size=(64, 4)).astype("float32")


def build(epsilon=0.001):
    return keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.BatchNormalization(
                epsilon=epsilon, momentum=0.5, name="bn"
            ),
            keras.layers.Dense(3),
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
for epsilon in [0.001, 1e-5]:
    rebuilt = build(epsilon)
    rebuilt.load_weights("model.weights.h5")
    equal = all(map(np.array_equal, rebuilt.weights, model.weights))
    off = np.max(np.abs(rebuilt(x, training=False) - predictions)) > 0.1
    print(f"epsilon {epsilon}: arrays equal: {equal}, off by 0.1: {off}")
# --8<-- [end:see]

# --8<-- [start:why]
variance = model.get_layer("bn").moving_variance.numpy()
factor = np.sqrt((variance + 0.001) / (variance + 1e-5))
print("times as large:", np.round(factor))
# --8<-- [end:why]

# --8<-- [start:fix]
print(*compare("record.npz", rebuilt), sep="\n")

rebuilt = build(epsilon=0.001)
rebuilt.load_weights("model.weights.h5")
print("built with 0.001:", compare("record.npz", rebuilt))
# --8<-- [end:fix]

# --8<-- [start:sure]
loaded = keras.saving.load_model("model.keras")
print("epsilon:", loaded.get_layer("bn").epsilon)
# --8<-- [end:sure]
