# --8<-- [start:measure]
import keras
import numpy as np


def blame(model, train, x, y, loss):
    """Train, and say what made the model worse. It stays trained.

    Args:
        model: The model, unfrozen and compiled.
        train: Called with `model`; trains as your program does.
        x: Validation rows.
        y: Their targets.
        loss: The loss that counts.
    """

    def worse():
        after = float(loss(y, model(x, training=False)))
        limit = start + 0.2 * abs(start)
        return "no" if after <= limit else "worse"  # NaN is worse

    start = float(loss(y, model(x, training=False)))
    statistics = [v for v in model.weights if v.name.startswith("moving_")]
    before = [variable.numpy() for variable in statistics]
    train(model)
    trained = [variable.numpy() for variable in statistics]
    found = {"trained": worse()}
    for name, arrays in {"old statistics": before, "new": trained}.items():
        for variable, array in zip(statistics, arrays):
            variable.assign(array)
        found[name] = worse()
    return found


# --8<-- [end:measure]

# --8<-- [start:cases]
keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(256, 8)).astype("float32")
y = x[:, :1] - x[:, 1:2]
loss = keras.losses.MeanSquaredError()


def build():
    layers = [
        keras.layers.Dense(8),
        keras.layers.BatchNormalization(momentum=0.9),
    ]
    return keras.Sequential(
        [keras.Input(shape=(8,)), *layers, keras.layers.Dense(1)]
    )


pretrained = build()
pretrained.compile(keras.optimizers.SGD(0.05), loss)
pretrained.fit(x, y, epochs=10, verbose=0)
arrays = pretrained.get_weights()


def fit(rate, rows, inputs):
    def train(model):
        model.compile(keras.optimizers.SGD(rate), loss)
        model.fit(inputs, y, batch_size=rows, verbose=0)

    return train


print(f"{'':20}trained  with the old statistics")
for name, train in {
    "small rate": fit(0.001, 64, x),
    "large rate": fit(0.6, 64, x),
    "two rows per batch": fit(0.0, 2, x),
    "other inputs": fit(0.0, 64, 2 * x),
}.items():
    model = build()
    model.set_weights(arrays)
    found = blame(model, train, x, y, loss)
    print("{:20}{:9}{}".format(name, *found.values()))
# --8<-- [end:cases]
