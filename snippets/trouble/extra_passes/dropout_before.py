# --8<-- [start:setup]
import keras
import numpy as np
from sklearn.datasets import load_digits

x, y = load_digits(return_X_y=True)
x = (x / 16).astype("float32")
x_train, y_train, x_test, y_test = x[:1200], y[:1200], x[1200:], y[1200:]


def trained(*order, rate=0.5):
    """Train two blocks of a Dense layer and the layers named in `order`."""
    keras.utils.set_random_seed(0)
    make = {
        "Dropout": lambda: keras.layers.Dropout(rate),
        "norm": lambda: keras.layers.BatchNormalization(momentum=0.9),
        "ReLU": keras.layers.ReLU,
    }
    model = keras.Sequential([keras.Input((64,))])
    for _ in range(2):
        model.add(keras.layers.Dense(64))
        for name in order:
            model.add(make[name]())
    model.add(keras.layers.Dense(10, activation="softmax"))
    loss = "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.Adam(3e-3), loss)
    model.fit(x_train, y_train, batch_size=100, epochs=8, verbose=0)
    return model


# --8<-- [end:setup]

# --8<-- [start:see]
from bn_tools import batch_norms, estimate_again


def too_large(model):
    """Return the largest variance, as a multiple of that without Dropout."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    estimate_again(copy, [x_train])
    pairs = zip(batch_norms(model), batch_norms(copy))
    return max(
        np.median(old.moving_variance.numpy() / new.moving_variance.numpy())
        for old, new in pairs
    )


models = {
    "no Dropout": trained("norm", "ReLU"),
    "right before": trained("Dropout", "norm", "ReLU"),
    "at the end": trained("norm", "ReLU", "Dropout"),
}
for name, model in models.items():
    times = too_large(model)
    print(
        f"{name:13} above 1.2 times: {times > 1.2!s:6} above 1.8: {times > 1.8}"
    )
# --8<-- [end:see]

# --8<-- [start:fix]
for name, model in models.items():
    old = model.evaluate(x_test, y_test, batch_size=600, verbose=0)
    estimate_again(model, [x_train])
    new = model.evaluate(x_test, y_test, batch_size=600, verbose=0)
    better = new < old - 0.02
    print(f"{name:13} loss lower by 0.02 or more: {better}")
# --8<-- [end:fix]

# --8<-- [start:sure]
for name, model in models.items():
    times = too_large(model)
    print(f"{name:13} above 1.2 times: {times > 1.2}")
# --8<-- [end:sure]
