# --8<-- [start:measure]
import numpy as np


def how_far(expected, outputs):
    """Name the size of the largest difference, and count the same classes.

    Args:
        expected: Logits from the first place, of shape (rows, classes).
        outputs: Those of the same rows, from the other place.
    """
    expected, outputs = np.asarray(expected), np.asarray(outputs)
    if expected.shape != outputs.shape or expected.ndim < 2:
        shapes = f"{expected.shape} and {outputs.shape}"
        raise ValueError(f"two arrays of one shape are needed, not {shapes}")
    difference = np.abs(outputs - expected).max() / np.abs(expected).max()
    sizes = {1e-5: "rounding", 1e-2: "16 bits", np.inf: "another computation"}
    same = np.mean(outputs.argmax(axis=-1) == expected.argmax(axis=-1))
    found = [name for size, name in sizes.items() if difference < size]
    return (found or ["not finite"])[0], same


# --8<-- [end:measure]

# --8<-- [start:cases]
import keras
import tensorflow as tf

keras.utils.set_random_seed(0)
x = np.random.uniform(size=(64, 8, 8, 3)).astype("float32")


def build(policy="float32", epsilon=1e-3):
    keras.config.set_dtype_policy(policy)
    model = keras.Sequential([keras.Input(shape=(8, 8, 3))])
    for _ in range(2):
        model.add(keras.layers.Conv2D(16, 3, padding="same"))
        model.add(keras.layers.BatchNormalization(epsilon=epsilon))
        model.add(keras.layers.ReLU())
    model.add(keras.layers.GlobalAveragePooling2D())
    model.add(keras.layers.Dense(10, dtype="float32"))
    keras.config.set_dtype_policy("float32")
    return model


def with_arrays(model):
    model.set_weights(trained.get_weights())
    return model


trained = build()
for layer in trained.layers:
    if isinstance(layer, keras.layers.BatchNormalization):
        layer.moving_variance.assign(np.full(16, 1e-3))
expected = trained(x, training=False)

cases = {
    "once more": trained(x, training=False),
    "each row alone": np.concatenate([trained(row[None]) for row in x]),
    "compiled by XLA": tf.function(trained, jit_compile=True)(x),
    "mixed_float16": with_arrays(build("mixed_float16"))(x),
    "epsilon of PyTorch": with_arrays(build(epsilon=1e-5))(x),
    "BGR in place of RGB": trained(x[..., ::-1]),
}
print(f"{'':20}largest difference   same classes")
for name, outputs in cases.items():
    size, same = how_far(expected, outputs)
    print(f"{name:20}{size:21}{'all' if same == 1 else 'not all'}")
# --8<-- [end:cases]
