# --8<-- [start:recipe]
import keras
import numpy as np
import tensorflow as tf

from bn_tools import layers_in

VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"


def places(thing, key, owner, folders):
    """Yield each array below a layer, with each key it may have in Keras 2."""
    if isinstance(thing, keras.Variable):
        yield key, thing
        yield f"{owner}/{thing.name}", thing
        yield f"{owner}/depthwise_{thing.name}", thing
        return
    if isinstance(thing, keras.Layer):
        if key not in folders:
            return
        owner, parts = key, dict(vars(thing))
        for number, layer in enumerate(getattr(thing, "layers", [])):
            parts[f"layer-{number}"] = layer
        owners = [each for each in getattr(thing, "layers", []) if each.weights]
        for number, layer in enumerate(owners):
            parts[f"layer_with_weights-{number}"] = layer
    elif isinstance(thing, dict):
        parts = thing
    elif isinstance(thing, (list, tuple)):
        parts = dict(enumerate(thing))
    else:
        return
    for name, part in parts.items():
        yield from places(part, f"{key}/{name}", owner, folders)


def read_keras_2(model, path, root):
    """Read a TensorFlow checkpoint of Keras 2 into the same model, built.

    ``root`` is "" for a file of ``save_weights``, and "model" for one of
    ``tf.train.Checkpoint(model=model)``. If anything is wrong, nothing changes.
    """
    reader = tf.train.load_checkpoint(path)
    names = sorted(reader.get_variable_to_shape_map())
    top = f"/{root}" if root else ""
    training = f"{top}/optimizer/", f"{top}/keras_api/", "/save_counter/"
    keys = {
        key.removesuffix(VALUE)
        for key in map("/{}".format, names)
        if key.startswith(f"{top}/") and key.endswith((VALUE, "-keys"))
        if not key.startswith(training) and "/.OPTIMIZER_SLOT/" not in key
    }
    if not keys:
        raise ValueError(f"{path}: nothing below {root!r}, but {names[1:4]}")
    folders = {key[:i] for key in keys for i, c in enumerate(key) if c == "/"}
    found = {}
    for key, array in places(model, top, top, folders):
        if key in keys:
            found.setdefault(id(array), set()).add(key)
    left = keys.difference(*found.values())
    problems = [f"{key[1:]}: not in the model" for key in sorted(left)]
    arrays = []
    for weight in model.weights:
        fitting = sorted(found.get(id(weight), []))
        if len(fitting) != 1 or fitting[0] in left:  # or it is taken
            problems.append(f"{weight.path}: {fitting or 'not'} in the file")
            continue
        left.add(fitting[0])
        arrays.append(reader.get_tensor(fitting[0][1:] + VALUE))
        if arrays[-1].shape != weight.shape:
            problems.append(f"{weight.path}: {arrays[-1].shape} in the file")
    if problems:
        raise ValueError("\n".join([f"{path}: nothing was read", *problems]))
    for weight, array in zip(model.weights, arrays, strict=True):
        weight.assign(array)
    for layer in layers_in(model, {}).values():
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()  # mean and variance beside its arrays


# --8<-- [end:recipe]
# --8<-- [start:models]
import keras
import numpy as np
import tensorflow as tf


def dense_bn(name):
    dense = keras.layers.Dense(4, name=f"{name}_dense")
    return [dense, keras.layers.BatchNormalization(name=f"{name}_bn")]


def functional():
    inputs = left = right = keras.Input((4,))
    for one, other in zip(dense_bn("left"), dense_bn("right")):
        left, right = one(left), other(right)
    return keras.Model(inputs, keras.layers.Add()([right, left]))


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.base = functional()
        self.blocks = [dense_bn("first"), dense_bn("second")]
        self.head = keras.Sequential(dense_bn("head"))

    def call(self, x, training=False):
        x = self.base(x, training=training)
        for dense, bn in self.blocks:
            x = bn(dense(x), training=training)
        return self.head(x, training=training)


MODELS = {"functional": functional, "net": Net}
# --8<-- [end:models]

# --8<-- [start:write]
keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 4)).astype("float32")
for name, build in MODELS.items():
    model = build()
    model.compile("adam", "mse")
    model.fit(x, x, epochs=20, verbose=0)
    model.save_weights(f"{name}/w")
    tf.train.Checkpoint(model=model).save(f"{name}/ckpt")
    arrays = {
        f"{layer.name}/{number}": array
        for layer in model.submodules
        if layer.name.endswith(("dense", "bn"))
        for number, array in enumerate(layer.get_weights())
    }
    np.savez(f"{name}.npz", x=x, y=model.predict(x, verbose=0), **arrays)
# --8<-- [end:write]


# --8<-- [start:prove]
def equal(model, name):
    expected = np.load(f"{name}.npz")
    count = 0
    for layer in layers_in(model, {}).values():
        if layer.name.endswith(("dense", "bn")):
            for number, array in enumerate(layer.get_weights()):
                saved = expected[f"{layer.name}/{number}"]
                count += np.array_equal(array, saved)
    predictions = model(expected["x"], training=False)
    close = np.allclose(predictions, expected["y"], atol=1e-5)
    return f"{count:2} of {len(model.weights)} arrays, predictions {close}"


for name, build in MODELS.items():
    for path, root in {f"{name}/w": "", f"{name}/ckpt-1": "model"}.items():
        model = build()
        model(np.zeros((1, 4), "float32"))
        before = equal(model, name)
        read_keras_2(model, path, root)
        print(f"{path:18}before: {before}")
        print(f"{'':18}after:  {equal(model, name)}")
# --8<-- [end:prove]

# --8<-- [start:refuse]
for model, path, root in [
    (Net(), "net/w", "model"),
    (functional(), "net/w", ""),
]:
    model(np.zeros((1, 4), "float32"))
    try:
        read_keras_2(model, path, root)
    except ValueError as error:
        for line in f"ValueError: {error}".splitlines()[:3]:
            print(line[:77])
# --8<-- [end:refuse]
