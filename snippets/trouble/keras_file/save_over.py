# --8<-- [start:setup]
import keras
import numpy as np


def interrupt(store):
    raise KeyboardInterrupt  # in the middle of the write


def build():
    norm, last = keras.layers.BatchNormalization(), keras.layers.Dense(3)
    return keras.Sequential([keras.Input(shape=(4,)), norm, last])


def holds(path, model):
    try:
        loaded = keras.saving.load_model(path)
    except Exception:
        return False
    return all(map(np.array_equal, model.weights, loaded.weights))


model, new = build(), build()
# --8<-- [end:setup]

# --8<-- [start:see]
model.save("best.keras")
print("the old one is there:", holds("best.keras", model))
new.layers[-1].save_own_variables = interrupt
try:
    new.save("best.keras")
except KeyboardInterrupt:
    print("interrupted, the old one is there:", holds("best.keras", model))
    print("interrupted, the new one is there:", holds("best.keras", new))
# --8<-- [end:see]

# --8<-- [start:fix]
import os


def save_over(model, path):
    """Replace a .keras file: the old one stays until the new one is whole."""
    if not str(path).endswith(".keras"):
        raise ValueError(f"{path} does not end in .keras")
    if not model.built:
        raise ValueError(f"{model.name} has no arrays yet: call it once")
    path = os.path.realpath(path)  # of a link, the file behind it
    new = f"{path}.new.keras"
    model.save(new)
    with open(new, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(new, path)


# --8<-- [end:fix]

# --8<-- [start:sure]
save_over(model, "best.keras")
try:
    save_over(new, "best.keras")
except KeyboardInterrupt:
    print("interrupted, the old one is there:", holds("best.keras", model))

del new.layers[-1].save_own_variables
save_over(new, "best.keras")
print("not interrupted, the new one is there:", holds("best.keras", new))
# --8<-- [end:sure]
