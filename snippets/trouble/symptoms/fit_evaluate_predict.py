# --8<-- [start:measure]
import keras
import numpy as np


def compare_losses(model, x, y, loss, **fit):
    """Train for two more epochs; return what equals the loss of `evaluate`.

    The model is not the same afterwards: take one that you loaded for it.
    """
    size = {"batch_size": len(keras.tree.flatten(x)[0]), "verbose": 0}
    found = {}

    def note(name, value):
        evaluated = model.evaluate(x, y, **size, return_dict=True)["loss"]
        same = np.allclose(value, evaluated, rtol=1e-3)
        found[name] = "equal" if same else "differs"

    note("fit", model.fit(x, y, **size, **fit).history["loss"])
    model.optimizer.learning_rate = 0.0
    note("rate 0", model.fit(x, y, **size, **fit).history["loss"])
    note("predict", loss(y, model.predict(x, **size)))
    note("model(x)", loss(y, model(x)))
    one, other = (loss(y, model(x, training=True)) for _ in range(2))
    note("training", one)
    found["twice"] = "equal" if np.allclose(one, other) else "differs"
    return found


# --8<-- [end:measure]

# --8<-- [start:cases]
rng = np.random.default_rng(0)
x = rng.normal(5, 3, size=(256, 8)).astype("float32")
y = (x.sum(axis=1, keepdims=True) > 40).astype("float32")
loss = keras.losses.BinaryCrossentropy()


def trained(momentum=0.0, rate=0.0, dropout=0.0, regularizer=None):
    """With momentum 0, the moving statistics are those of the last batch."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.Dense(8, kernel_regularizer=regularizer),
            keras.layers.BatchNormalization(momentum=momentum),
            keras.layers.Dropout(dropout),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.SGD(rate), loss)
    return model


class TrueByDefault(keras.Model):
    def __init__(self):
        super().__init__()
        self.norm = keras.layers.BatchNormalization(momentum=0.9)
        self.head = keras.layers.Dense(1, activation="sigmoid")

    def call(self, inputs, training=True):
        return self.head(self.norm(inputs, training=training))


by_default = TrueByDefault()
by_default.compile(keras.optimizers.SGD(0.0), loss)

traced = trained()
traced.predict(x, batch_size=len(x), verbose=0)
traced.layers[1].epsilon = 10.0  # predict goes on without it

sure = trained()
sure.layers[-1].kernel.assign(1e3 * sure.layers[-1].kernel)

cases = {
    "nothing": (trained(), {}),
    "the weights change": (trained(rate=0.5), {}),
    "too few steps": (trained(momentum=0.99), {}),
    "Dropout": (trained(dropout=0.5), {}),
    "class_weight": (trained(), {"class_weight": {0: 1.0, 1: 9.0}}),
    "a regularizer": (trained(regularizer="l2"), {}),
    "traced before": (traced, {}),
    "outputs of 0 and 1": (sure, {}),
    "training=True": (by_default, {}),
}
print(f"{'':19}fit      rate 0   predict  model(x) training twice")
for name, (model, fit) in cases.items():
    found = compare_losses(model, x, y, loss, **fit)
    *values, twice = found.values()
    print(f"{name:18}", *(f"{value:8}" for value in values), twice)
# --8<-- [end:cases]
