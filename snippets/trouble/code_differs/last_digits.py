# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(256, 4)).astype("float32")


def build():
    return keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.Dense(8),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )


model = build()
for _ in range(100):
    model(x, training=True)
# --8<-- [end:setup]

# --8<-- [start:see]
kernel, *others = model.get_weights()
reordered = build()
reordered.set_weights([kernel[::-1], *others])

same_function = reordered(x[:, ::-1], training=False)
predictions = model(x, training=False)
print("equal:", np.array_equal(same_function, predictions))
# --8<-- [end:see]

# --8<-- [start:why]
forward = np.float32(1e8) + np.float32(1) - np.float32(1e8)
backward = np.float32(1e8) - np.float32(1e8) + np.float32(1)
print(forward, backward)
# --8<-- [end:why]

# --8<-- [start:fix]
for atol in [1e-9, 1e-5]:
    close = np.allclose(same_function, predictions, rtol=0, atol=atol)
    print(f"within {atol}: {close}")
# --8<-- [end:fix]

# --8<-- [start:sure]
from bn_tools import compare, write_record

write_record("model.npz", model, x[:32])
gamma = model.layers[1].gamma.numpy()
model.layers[1].gamma.assign(gamma * 1.001)
for atol in [1e-2, 1e-5]:
    print(f"atol {atol}:", *compare("model.npz", model, atol), sep="\n    ")
model.layers[1].gamma.assign(gamma)
# --8<-- [end:sure]
