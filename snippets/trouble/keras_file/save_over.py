# --8<-- [start:setup]
import keras
import numpy as np


class Interrupts(keras.layers.Layer):
    def save_own_variables(self, store):
        raise KeyboardInterrupt  # in the middle of the write


def build(last):
    norm = keras.layers.BatchNormalization()
    return keras.Sequential([keras.Input(shape=(4,)), norm, last])


def holds(path, model):
    try:
        loaded = keras.saving.load_model(path)
    except Exception:
        return False
    return all(map(np.array_equal, model.weights, loaded.weights))


model = build(keras.layers.Dense(3))
# --8<-- [end:setup]

# --8<-- [start:see]
model.save("best.keras")
print("the model is in the file:", holds("best.keras", model))
try:
    build(Interrupts()).save("best.keras")
except KeyboardInterrupt:
    print("the model is in the file:", holds("best.keras", model))
# --8<-- [end:see]

# --8<-- [start:fix]
import os


def save_over(model, path):
    """Replace a .keras file: the old one stays until the new one is whole."""
    if not str(path).endswith(".keras"):
        raise ValueError(f"{path} does not end in .keras")
    new = f"{path}.new.keras"
    model.save(new)
    with open(new, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(new, path)


# --8<-- [end:fix]

# --8<-- [start:sure]
save_over(model, "best.keras")
try:
    save_over(build(Interrupts()), "best.keras")
except KeyboardInterrupt:
    print("interrupted, the old one is there:", holds("best.keras", model))

new = build(keras.layers.Dense(3))
save_over(new, "best.keras")
print("not interrupted, the new one is there:", holds("best.keras", new))
# --8<-- [end:sure]
