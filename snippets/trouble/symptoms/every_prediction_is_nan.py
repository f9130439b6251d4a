# --8<-- [start:measure]
import keras
import numpy as np
from bn_tools import broken


def where_is_it(model, x):
    """Say what is not finite: inputs, arrays or outputs. The arrays stay."""
    before = [(variable, variable.numpy()) for variable in model.variables]
    found = [entry.partition(":")[0] for entry in broken(model)]
    names = "moving_mean", "moving_variance"
    statistics = [path for path in found if path.endswith(names)]
    result = {
        "inputs": share(x),
        "statistics": len(statistics),
        "others": len(found) - len(statistics),
        "predictions": share(model(x, training=False)),
        "training": share(model(x, training=True)),
    }
    for variable, array in before:
        variable.assign(array)
    return result


def share(values):
    arrays = [
        np.asarray(each, "float32") for each in keras.tree.flatten(values)
    ]
    rows = [np.isfinite(each).reshape(len(each), -1).all(1) for each in arrays]
    finite = np.all(rows, axis=0)
    return "none" if finite.all() else "some" if finite.any() else "all"


# --8<-- [end:measure]

# --8<-- [start:cases]
keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 8)).astype("float32")
a_row = x.copy()
a_row[3, 0] = np.nan


def build(dtype="float32"):
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.Dense(4, dtype=dtype, name="first"),
            keras.layers.BatchNormalization(dtype=dtype, name="bn"),
            keras.layers.Dense(3, dtype=dtype, name="last"),
        ]
    )


def with_value(layer, name, value):
    model = build()
    variable = getattr(model.get_layer(layer), name)
    variable.assign(np.full(variable.shape, value))
    return model


cases = {
    "nothing": (build(), x),
    "statistics": (with_value("bn", "moving_mean", np.nan), x),
    "a negative variance": (with_value("bn", "moving_variance", -1), x),
    "weights": (with_value("last", "kernel", np.nan), x),
    "a row is NaN": (build(), a_row),
    "float16 overflows": (build("mixed_float16"), x * 1e5),
}
print(f"{'':20}inputs  statistics  others  predictions  training")
for name, (model, rows) in cases.items():
    inputs, statistics, others, *outputs = where_is_it(model, rows).values()
    print(f"{name:20}{inputs:8}{statistics:<12}{others:<8}", end="")
    print(f"{outputs[0]:13}{outputs[1]}")
# --8<-- [end:cases]
