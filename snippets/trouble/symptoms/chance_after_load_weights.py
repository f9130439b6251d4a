# --8<-- [start:measure]
import numpy as np


def after_loading(model, load, x, y):
    """Load, and say what came and how good it is. All variables stay as loaded.

    Args:
        model: The model that you go on with, built, before anything is loaded.
            Its only output has a column per class.
        load: Called with `model`; loads into it, as your program does.
        x: Training rows, as your program prepares them.
        y: Their class numbers.
    """
    before = [variable.numpy() for variable in model.weights]
    load(model)
    pairs = zip(before, (variable.numpy() for variable in model.weights))
    came = sum(not np.array_equal(*pair) for pair in pairs)
    loaded = [(variable, variable.numpy()) for variable in model.variables]
    outputs = [model(x, training=training) for training in (False, True)]
    for variable, array in loaded:
        variable.assign(array)
    shape = tuple(getattr(outputs[0], "shape", ()))
    if np.shape(y) != shape[:-1] or shape[-1:] in [(), (1,)]:
        raise ValueError(
            "one output with a column per class, and class numbers are needed, "
            f"not the shapes {shape} and {np.shape(y)}"
        )
    y = np.ravel(y)
    classes, in_training = (
        np.argmax(each, axis=-1).ravel() for each in outputs
    )
    # Each class of the model renamed to the one that it mostly stands for.
    names = {c: np.bincount(y[classes == c]).argmax() for c in set(classes)}
    renamed = np.array([names[c] for c in classes])
    return {
        "arrays": f"{came} of {len(before)}",
        "accuracy": np.mean(classes == y),
        "renamed": np.mean(renamed == y) if len(names) > 1 else 0,
        "training mode": np.mean(in_training == y),
    }


# --8<-- [end:measure]

# --8<-- [start:cases]
import keras

keras.utils.set_random_seed(0)
kind = np.arange(400) % 4
y = (kind + 1) % 4
scales = np.array([1, 10, 100, 1000], "float32")
x = (np.eye(4)[kind] + np.random.normal(2, 0.1, size=(400, 4))) * scales
x = x.astype("float32")


def build(units=4):
    return keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.BatchNormalization(center=False, name="bn"),
            keras.layers.Dense(4, use_bias=False, name="mix"),
            keras.layers.Dense(units, use_bias=False, name="head"),
        ]
    )


good = build()
mix = np.eye(4) + 3 * np.eye(4, k=1) * [0, 1, 0, 1]
head = np.linalg.inv(mix) @ np.roll(np.eye(4), 1, axis=1)
arrays = [np.full(4, 2.0), x.mean(axis=0), x.var(axis=0), mix, head]
good.set_weights(arrays)
good.save_weights("good.weights.h5")
five = build(units=5)
five.set_weights([*arrays[:-1], np.random.normal(size=(4, 5))])
five.save_weights("five.weights.h5")
exchanged = build()
exchanged.set_weights([*arrays[:-2], head, mix])
exchanged.save_weights("exchanged.weights.h5")


def load(model):
    model.load_weights("good.weights.h5")


def load_another(model):
    build().load_weights("good.weights.h5")


def skip(model):
    model.load_weights("five.weights.h5", skip_mismatch=True)


def load_trainable(model):
    trained = zip(model.trainable_variables, good.trainable_variables)
    for variable, value in trained:
        variable.assign(value)


def load_exchanged(model):
    model.load_weights("exchanged.weights.h5")


cases = {
    "nothing": (load, x, y),
    "another model": (load_another, x, y),
    "skip_mismatch": (skip, x, y),
    "trainable only": (load_trainable, x, y),
    "layers exchanged": (load_exchanged, x, y),
    "classes in other order": (load, x, (y + 1) % 4),
    "scaled twice": (load, x / 255, y),
}
print(f"{'':24}arrays   accuracy  renamed  training mode")
for name, case in cases.items():
    came, *scores = after_loading(build(), *case).values()
    said = ["good" if score > 0.9 else "bad" for score in scores]
    print(f"{name:24}{came:9}{said[0]:10}{said[1]:9}{said[2]}")
# --8<-- [end:cases]
