# --8<-- [start:measure]
import keras
import numpy as np


def look_twice(make, predict, x):
    """Say what two models of `make()`, and two calls of one, have in common.

    Args:
        make: Builds the model and loads it, as your program does.
        predict: From a model and `x` to predictions, as your program does it:
            an array, or a list or dict of arrays.
        x: Inputs, as `predict` takes them.
    """
    model, other = make(), make()
    before, others = model.get_weights(), other.get_weights()
    calls = [keras.tree.flatten(predict(model, x)) for _ in range(2)]
    in_order = [[np.sort(each, axis=0) for each in call] for call in calls]
    moved = compared(before, model.get_weights()) == "differ"
    return {
        "loads": compared(before, others),
        "calls": compared(*calls),
        "sorted": compared(*in_order, rounding=1e-3),
        "arrays": "moved" if moved else "stay",
    }


def compared(arrays, others, rounding=0.0):
    same = (
        np.allclose(one, other, 0, rounding * np.abs(one).max(), equal_nan=True)
        for one, other in zip(arrays, others)
    )
    return "equal" if all(same) else "differ"


# --8<-- [end:measure]

# --8<-- [start:cases]
import tensorflow as tf

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 8)).astype("float32")


def build():
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(1),
        ]
    )


build().save_weights("model.weights.h5")


def load():
    model = build()
    model.load_weights("model.weights.h5")
    return model


def normalize(model, x):
    norm, _, head = model.layers
    return head(norm(x, training=True))


def called(model, x):
    return model(x)


def in_training_mode(model, x):
    return model(x, training=True)


def predicted(model, x):
    return model.predict(x, verbose=0)


def with_noise(model, x):
    return model(x + tf.random.normal(x.shape))


data = tf.data.Dataset.from_tensor_slices(x).shuffle(64).batch(64)
cases = {
    "nothing": (load, called, x),
    "never loaded": (build, called, x),
    "noise is drawn": (load, with_noise, x),
    "Dropout is on": (load, in_training_mode, x),
    "training mode": (load, normalize, x),
    "data is shuffled": (load, predicted, data),
}
print(f"{'':16} loads   calls   sorted  arrays")
for name, case in cases.items():
    found = look_twice(*case)
    loads, calls, order, arrays = found.values()
    print(f"{name:17}{loads:8}{calls:8}{order:8}{arrays}")
# --8<-- [end:cases]

# --8<-- [start:order]
import os
import subprocess
import sys

for code in ["list({'cat', 'dog', 'bird'})", "sorted({'cat', 'dog', 'bird'})"]:
    orders = set()
    for seed in range(5):  # what Python draws anew for each process
        python = [sys.executable, "-c", f"print({code})"]
        environment = os.environ | {"PYTHONHASHSEED": str(seed)}
        orders.add(subprocess.check_output(python, env=environment))
    print(f"{code}: one order in all processes: {len(orders) == 1}")
# --8<-- [end:order]
