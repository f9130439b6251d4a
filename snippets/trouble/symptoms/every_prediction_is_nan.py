# --8<-- [start:measure]
import keras
import numpy as np
from bn_tools import broken, layers_in


def where_is_it(model, x):
    """Say what is not finite: inputs, arrays or outputs. The arrays stay.

    Give it some rows of arrays, no dataset: all are one batch.
    """
    if not model.variables:
        raise ValueError("the model has no arrays yet: call it once")
    layers = layers_in(model, {}).values()
    states = [getattr(layer, "states", None) for layer in layers]  # of RNNs
    states = [s for s in keras.tree.flatten(states) if hasattr(s, "assign")]
    before = [(each, each.numpy()) for each in [*model.variables, *states]]
    found = [entry.partition(":")[0] for entry in broken(model)]
    names = "moving_mean", "moving_variance"
    statistics = [path for path in found if path.endswith(names)]
    try:
        return {
            "inputs": share(x),
            "statistics": len(statistics),
            "others": len(found) - len(statistics),
            "predictions": share(model(x, training=False)),
            "training": share(model(x, training=True)),
        }
    finally:
        for variable, array in before:
            variable.assign(array)


def share(values):
    arrays = [
        np.atleast_1d(np.asarray(each, "float32"))
        for each in keras.tree.flatten(values)
    ]
    rows = [np.isfinite(each).reshape(len(each), -1).all(1) for each in arrays]
    finite = np.all(np.broadcast_arrays(*rows), axis=0)
    return "none" if finite.all() else "some" if finite.any() else "all"


# --8<-- [end:measure]

# --8<-- [start:cases]
keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 8)).astype("float32")
a_row = x.copy()
a_row[3, 0] = np.nan


def build(dtype="float32", *first):
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            *first,
            keras.layers.Dense(4, dtype=dtype, name="first"),
            keras.layers.BatchNormalization(dtype=dtype, name="bn"),
            keras.layers.Dense(3, dtype=dtype, name="last"),
        ]
    )


def with_value(layer, name, value, dtype="float32"):
    model = build(dtype)
    variable = getattr(model.get_layer(layer), name)
    variable.assign(np.full(variable.shape, value))
    return model


adapted = keras.layers.Normalization()
adapted.adapt(a_row)
logarithm = keras.layers.Activation(lambda values: keras.ops.log(values - 100))
cases = {
    "nothing": (build(), x),
    "statistics": (with_value("bn", "moving_mean", np.nan), x),
    "a negative variance": (with_value("bn", "moving_variance", -1), x),
    "weights": (with_value("last", "kernel", np.nan), x),
    "adapted with a NaN": (build("float32", adapted), x),
    "a row is NaN": (build(), a_row),
    "float16 overflows": (build("mixed_float16"), x * 1e5),
    "a logarithm": (build("float32", logarithm), x),
    "float16, large mean": (
        with_value("bn", "moving_mean", 1e6, "mixed_float16"),
        x,
    ),
}
print(f"{'':20}inputs  statistics  others  predictions  training")
for name, (model, rows) in cases.items():
    inputs, statistics, others, *outputs = where_is_it(model, rows).values()
    print(f"{name:20}{inputs:8}{statistics:<12}{others:<8}", end="")
    print(f"{outputs[0]:13}{outputs[1]}")
# --8<-- [end:cases]
