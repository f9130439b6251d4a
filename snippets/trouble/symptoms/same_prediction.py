# --8<-- [start:measure]
import keras
import numpy as np


def first_constant(model, rows, training=False):
    """Return the first layer whose outputs are nearly the same for all rows.

    Args:
        model: The model; a model or block inside is one layer: ask for it next.
        rows: At least 32 rows that differ.
        training: The mode. The arrays stay.

    Returns:
        The layer's name, or "-" if there is none.
    """
    before = [(variable, variable.numpy()) for variable in model.variables]
    outputs, own = [], [vars(layer).get("call") for layer in model.layers]
    for layer in model.layers:
        layer.call = noting(layer, layer.call, outputs)
    try:
        model(rows, training=training)
    finally:
        for layer, call in zip(model.layers, own):
            del layer.call  # the one of its class is there again
            if call:
                layer.call = call
        for variable, array in before:
            variable.assign(array)
    for layer, value in outputs:
        usual = np.abs(value).max()
        if isinstance(layer, keras.layers.BatchNormalization):
            # It spreads its inputs by gamma.
            usual = np.abs(layer.gamma).max() if layer.scale else 1
        if not value.std(axis=0).max() > 0.02 * usual:
            return layer.name
    return "-"


def noting(layer, call, outputs):
    def noting_call(*inputs, **arguments):
        found = call(*inputs, **arguments)
        value = np.asarray(keras.tree.flatten(found)[0], "float64")
        outputs.append((layer, value))
        return found

    return noting_call


# --8<-- [end:measure]

# --8<-- [start:cases]
keras.utils.set_random_seed(0)
x = np.random.uniform(0, 255, size=(256, 8)).astype("float32")


def build(units=3):
    model = keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.Dense(16, name="dense"),
            keras.layers.BatchNormalization(name="bn"),
            keras.layers.Activation("relu", name="relu"),
            keras.layers.Dense(units, activation="softmax", name="head"),
        ]
    )
    dense, norm = model.get_layer("dense"), model.get_layer("bn")
    norm.moving_mean.assign(np.mean(dense(x), axis=0))
    norm.moving_variance.assign(np.var(dense(x), axis=0))
    return model


def with_value(name, value):
    model = build()
    variable = getattr(model.get_layer("bn"), name)
    variable.assign(np.full(variable.shape, value))
    return model


cases = {
    "nothing": (build(), x),
    "scaled twice": (build(), x / 255),
    "an outlier": (with_value("moving_variance", 1e10), x),
    "gamma is 0": (with_value("gamma", 0), x),
    "all units are dead": (with_value("beta", -99), x),
    "softmax of one unit": (build(units=1), x),
    "not finite": (with_value("moving_mean", np.nan), x),
}
print(f"{'':20}service  training rows  training mode")
for name, (model, rows) in cases.items():
    service, training = first_constant(model, rows), first_constant(model, x)
    mode = first_constant(model, x, training=True)
    print(f"{name:20}{service:9}{training:15}{mode}")
# --8<-- [end:cases]

# --8<-- [start:softmax]
import warnings

for units in [2, 1]:
    with warnings.catch_warnings(record=True, action="always") as caught:
        build(units).predict(x, verbose=0)
    said = {str(w.message) for w in caught if "softmax" in str(w.message)}
    print(f"units: {units}, warnings: {len(said)}")
print("UserWarning:", said.pop())
# --8<-- [end:softmax]
