# --8<-- [start:measure]
import re

import keras
import numpy as np
import tensorflow as tf


def first_nan(model, *data, **fit):
    """Train, and return which operation makes the first NaN or infinity.

    `data` is what `fit` gets: inputs and targets, or a data set. Returns the
    path of a variable, "inputs" or "targets", and does not train, if these are
    not finite, and `None` if `fit` comes to its end.
    """
    arrays = {variable.path: variable.numpy() for variable in model.weights}
    arrays |= dict(zip(["inputs", "targets"], data))
    for name, values in arrays.items():
        for array in keras.tree.flatten(values):
            if isinstance(array, np.ndarray) and array.dtype.kind == "f":
                if not np.isfinite(array).all():
                    return name
    traced = [model.make_train_function, model.make_test_function]
    tf.debugging.enable_check_numerics()
    for make in traced:
        make(force=True)  # again, with the checks
    try:
        model.fit(*data, verbose=0, **fit)
    except tf.errors.InvalidArgumentError as error:
        found = re.search(r"node (\S+)/CheckNumerics", str(error))
        if found is None:  # not in a graph: it names the operation itself
            raise
        return found[1]
    finally:
        tf.debugging.disable_check_numerics()
        for make in traced:
            make(force=True)


# --8<-- [end:measure]

# --8<-- [start:cases]
keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 8)).astype("float32")
x[:, 0] = 1  # a constant column
y = np.random.poisson(3, size=(64, 1)).astype("float32")
a_row = x.copy()
a_row[3, 0] = np.nan


def build(*layers, loss="mse", rate=0.01, dtype="float32", **clip):
    dense = keras.layers.Dense(8, dtype=dtype, name="dense")
    layers = [keras.Input((8,)), dense, *layers]
    model = keras.Sequential(layers, name="net")
    model.compile(keras.optimizers.SGD(rate, **clip), loss)
    return model


def norm(**settings):
    return keras.layers.BatchNormalization(name="bn", **settings)


def out(activation=None):
    return keras.layers.Dense(1, activation=activation, name="out")


zeros = keras.layers.Lambda(lambda x: 0 * x, name="zeros")
broken = build(norm(), out())
broken.get_layer("bn").gamma.assign(np.full(8, np.nan))
last = [out(), norm()]

cases = {
    "nothing": (build(norm(), out()), x),
    "a row is NaN": (build(norm(), out()), a_row),
    "weights are NaN": (broken, x),
    "epsilon 1e-3": (build(zeros, norm(), out()), x),
    "epsilon 0": (build(zeros, norm(epsilon=0), out()), x),
    "logarithm of the norm": (build(*last, loss="poisson"), x),
    "softplus after it": (
        build(*last, keras.layers.Activation("softplus"), loss="poisson"),
        x,
    ),
    "rate of 10": (build(norm(), out(), rate=10.0), x),
    "clipnorm": (build(norm(), out(), rate=10.0, clipnorm=0.1), x),
    "16 bits": (build(norm(), out(), dtype="mixed_float16"), 1e5 * x),
}
for name, (model, rows) in cases.items():
    found = first_nan(model, rows, y, epochs=4)
    print(f"{name:23}{found}")
# --8<-- [end:cases]

# --8<-- [start:raised]
tf.debugging.enable_check_numerics()
model = build(zeros, norm(epsilon=0), out())
try:
    model.fit(x, y, verbose=0)
except tf.errors.InvalidArgumentError as error:
    said = re.search('Detected Infinity.*op "[A-Za-z]+"', str(error))
    print("InvalidArgumentError:", said[0])
tf.debugging.disable_check_numerics()
# --8<-- [end:raised]
