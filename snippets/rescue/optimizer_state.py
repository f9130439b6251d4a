# --8<-- [start:recipe]
import h5py
import keras
import numpy as np
import tensorflow as tf


def optimizer_of(path, root="model"):
    """Return step count and slots of the optimizer in a file of Keras 2.

    ``root``, for a checkpoint, is "model" for ``Checkpoint(model=model)``, and
    "" for ``save_weights``.
    """
    if path.endswith(".h5"):
        with h5py.File(path) as file:
            whole = "optimizer_weights" in file
            group = file["optimizer_weights" if whole else "optimizer/vars"]
            names = [str(number) for number in range(len(group))]
            if whole:
                names = list(group.attrs["weight_names"])
                if not names[0].startswith("iteration"):
                    raise ValueError(f"an older optimizer: {names[:2]}")
            return [group[name][()] for name in names]
    reader = tf.train.load_checkpoint(path)
    place = f"{root}/optimizer/".removeprefix("/")
    names = reader.get_variable_to_shape_map()
    count = sum(name.startswith(f"{place}_variables/") for name in names)
    names = ["_iterations", *(f"_variables/{n}" for n in range(1, count + 1))]
    value = (place + "{}/.ATTRIBUTES/VARIABLE_VALUE").format
    return [reader.get_tensor(value(name)) for name in names]


def listed(thing):
    """Return the trainable arrays as Keras 2 lists them, part by part."""
    if isinstance(thing, keras.Variable):
        return [thing] if thing.trainable else []
    if isinstance(thing, dict):
        parts = list(thing.values())
    elif isinstance(thing, keras.Sequential) or hasattr(thing, "operations"):
        parts = thing.layers
    elif isinstance(thing, keras.Layer):
        own = vars(thing).keys() - vars(keras.Model()).keys()
        parts = [part for name, part in vars(thing).items() if name in own]
        parts.sort(key=lambda part: not isinstance(part, keras.Variable))
    else:
        parts = thing if isinstance(thing, (list, tuple)) else []
    arrays = [array for part in parts for array in listed(part)]
    return list({id(array): array for array in arrays}.values())


def go_on(model, arrays):
    """Give the optimizer of a compiled, built model what the file holds."""
    learned = model.trainable_variables
    if list(map(id, listed(model))) != list(map(id, learned)):
        raise ValueError("Keras 2 lists the arrays in another order")
    model.optimizer.build(learned)
    own = [v for v in model.optimizer.variables if v.name != "learning_rate"]
    if [a.shape for a in arrays] != [tuple(v.shape) for v in own]:
        raise ValueError(f"{len(arrays)} arrays in the file, here {len(own)}")
    for variable, array in zip(own, arrays, strict=True):
        variable.assign(array)


# --8<-- [end:recipe]

# --8<-- [start:model]
import keras
import numpy as np
import tensorflow as tf


def compiled(name):
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(6),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(4),
        ]
    )
    optimizers = {
        "adam": keras.optimizers.Adam(0.01),
        "sgd": keras.optimizers.SGD(0.01, momentum=0.9),
    }
    model.compile(optimizers[name], "mse")
    return model


# --8<-- [end:model]

# --8<-- [start:write]
keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 4)).astype("float32")
for name in ["adam", "sgd"]:
    model = compiled(name)
    model.fit(x, x, epochs=20, verbose=0)
    if name == "adam":
        model.save_weights("adam.weights.h5")
        model.save("adam.h5")
    tf.train.Checkpoint(model=model).write(name)
    before = model.get_weights()
    model.train_on_batch(x, x)
    after = {f"after_{i}": a for i, a in enumerate(model.get_weights())}
    np.savez(f"{name}.npz", *before, x=x, **after)
# --8<-- [end:write]


# --8<-- [start:see]
import warnings


def one_step(model, name):
    """Say how far one step leads from where the step of Keras 2 led."""
    data = np.load(f"{name}.npz")
    step = int(model.optimizer.iterations)
    model.train_on_batch(data["x"], data["x"])
    distance = max(
        np.abs(array - data[f"after_{i}"]).max()
        for i, array in enumerate(model.get_weights())
    )
    return f"step {step:2}, as in Keras 2: {distance < 1e-6}"


for path in ["adam.weights.h5", "adam.h5"]:
    model = compiled("adam")
    model.optimizer.build(model.trainable_variables)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.load_weights(path)
    print(f"{path:16} {one_step(model, 'adam')}")
    for warning in caught:
        print("UserWarning:", str(warning.message)[:65])
# --8<-- [end:see]

# --8<-- [start:prove]
for path in ["adam.weights.h5", "adam.h5", "adam", "sgd"]:
    name = path.partition(".")[0]
    data = np.load(f"{name}.npz")
    model = compiled(name)
    model.set_weights([data[f"arr_{i}"] for i in range(8)])
    go_on(model, optimizer_of(path))
    print(f"{path:16} {one_step(model, name)}")
# --8<-- [end:prove]
