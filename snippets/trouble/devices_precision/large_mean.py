# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
# Air pressure in pascals.
x = np.random.normal(101_325, 20, size=(512, 4)).astype("float32")


def report(case, inputs, **arguments):
    layer = keras.layers.BatchNormalization(momentum=0.0, **arguments)
    layer(inputs, training=True)
    true = np.var(np.asarray(inputs, "float64"), axis=0)
    right = np.allclose(layer.moving_variance, true, rtol=0.1)
    print(f"{case:24} variance right: {right}")


# --8<-- [end:setup]

# --8<-- [start:see]
report("synchronized=False", x)
report("synchronized=True", x, synchronized=True)
# --8<-- [end:see]

# --8<-- [start:fix]
shift = keras.layers.Rescaling(1.0, offset=-101_325.0)
report("shifted, synchronized", shift(x), synchronized=True)
# --8<-- [end:fix]

# --8<-- [start:sure]
for name, inputs in {"x": x, "shifted": np.asarray(shift(x))}.items():
    deviations = np.abs(inputs.mean(axis=0)) / inputs.std(axis=0)
    print(f"{name:8} mean below 100 deviations: {np.all(deviations < 100)}")
# --8<-- [end:sure]
