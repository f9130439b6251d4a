# --8<-- [start:see]
import keras
import numpy as np

for arguments in [
    {"virtual_batch_size": 16},
    {"fused": False},
    {"adjustment": None},
    {"axis": [1, 2]},
]:
    try:
        keras.layers.BatchNormalization(**arguments)
    except (TypeError, ValueError) as error:
        print(f"{type(error).__name__}: {error}")
# --8<-- [end:see]

# --8<-- [start:fix]
keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 3, 4, 2)).astype("float32")
old = [np.random.uniform(1, 2, size=(3, 4)) for _ in range(4)]  # axis=[1, 2]

layer = keras.layers.BatchNormalization(axis=1, name="bn")
model = keras.Sequential(
    [
        keras.Input(shape=(3, 4, 2)),
        keras.layers.Reshape((12, 2)),
        layer,
        keras.layers.Reshape((3, 4, 2)),
    ]
)
layer.set_weights([array.ravel() for array in old])
# --8<-- [end:fix]

# --8<-- [start:sure]
gamma, beta, mean, variance = (array[..., None] for array in old)
formula = gamma * (x - mean) / np.sqrt(variance + layer.epsilon) + beta
np.testing.assert_allclose(model(x, training=False), formula, atol=1e-4)
print("as the formula says, with one mean per place")
print("arrays:", *(array.name for array in layer.weights))
# --8<-- [end:sure]
