# --8<-- [start:setup]
import keras
import numpy as np

from bn_tools import compare, write_record

x = np.random.normal(5, 3, size=(256, 4)).astype("float32")
model = keras.Sequential(
    [
        keras.Input(shape=(4,)),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.Dense(3, name="out"),
    ]
)
for _ in range(100):
    model(x, training=True)
# --8<-- [end:setup]


# --8<-- [start:see]
def scaled(scale):
    return keras.Sequential(
        [keras.Input(shape=(4,)), model, keras.layers.Rescaling(scale)]
    )


write_record("small.npz", scaled(1e-6), x[:32])
for scale in [1e-6, 2e-6]:
    found = compare("small.npz", scaled(scale))
    print(f"outputs times {scale}: {len(found)} problems")
# --8<-- [end:see]

# --8<-- [start:fix]
for scale in [1e-6, 2e-6]:
    found = compare("small.npz", scaled(scale), atol=1e-9)
    print(f"outputs times {scale}: {len(found)} problems")
# --8<-- [end:fix]

# --8<-- [start:sure]
size = float(np.abs(scaled(1e-6)(x[:32], training=False)).max())
for atol in [1e-5, 1e-9]:
    print(f"atol {atol} is far below the outputs:", atol < size / 100)
# --8<-- [end:sure]
