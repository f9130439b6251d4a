# --8<-- [start:write]
import numpy as np
from tensorflow import keras

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 8)).astype("float32")
model = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.Dense(4, name="dense"),
        keras.layers.BatchNormalization(name="bn"),
    ]
)
model.compile("adam", "mse")
model.fit(x, x[:, :4], epochs=20, verbose=0)
model.save("old.h5")
predictions = model.predict(x, verbose=0)
np.savez("expected.npz", *model.get_weights(), x=x, predictions=predictions)
# --8<-- [end:write]


# --8<-- [start:function]
import keras


def inside(model):
    """Return a model's layers by name, and the arrays that are in none."""
    # A layer of yours may call something else its layers.
    found = model.layers if hasattr(type(model), "layers") else []
    layers = {layer.name: layer for layer in found if layer.weights}
    for layer in found:
        if layers.get(layer.name, layer) is not layer and layer.weights:
            raise ValueError(f"{model.name}: two layers named {layer.name}")
    seen = {id(w) for layer in layers.values() for w in layer.weights}
    return layers, [w for w in model.weights if id(w) not in seen]


def by_name(layer, arrays, parts):
    """Return arrays by the last parts of their names inside a layer."""
    found = {}
    for array in arrays:
        name = getattr(array, "path", array.name).partition(":")[0]
        name = name.replace("depthwise_kernel", "kernel")  # as in Keras 3
        names = name.split("/")
        if layer.name in names:
            names = names[-names[::-1].index(layer.name) :]
        found["/".join(names[-parts:])] = array
    return found


def pairs(old, new):
    """Return pairs of arrays of a tf_keras and a Keras 3 model or layer."""
    (olds, own), (news, its) = inside(old), inside(new)
    if olds.keys() != news.keys():
        only = sorted(olds.keys() ^ news.keys())
        raise ValueError(f"{new.name}: layers in one model only: {only}")
    found = [pair for key in olds for pair in pairs(olds[key], news[key])]
    for parts in 1, 2, 3:
        a, b = by_name(old, own, parts), by_name(new, its, parts)
        if a.keys() == b.keys() and len(a) == len(own) == len(its):
            return found + [(a[key], b[key]) for key in a]
    raise ValueError(f"{new.name}: arrays {sorted(a)} and {sorted(b)}")


def move_arrays(old, new):
    """Copy all arrays of a tf_keras model into one of Keras 3, by name.

    Raises:
        TypeError: The old model is of Keras 3, or the new one is not.
        ValueError: Names or shapes differ. Nothing was copied then.
    """
    for model, of_keras_3 in (old, False), (new, True):
        if isinstance(model, keras.layers.Layer) != of_keras_3:
            raise TypeError(f"{model.name}: pass the old one, then the new one")
    found = pairs(old, new)
    for source, target in found:
        if tuple(source.shape) != tuple(target.shape):
            raise ValueError(f"{target.path}: was {source.shape}")
    for source, target in found:
        target.assign(source)
    finalize(new)


def finalize(layer):
    """Let a Normalization compute with the arrays that it got."""
    if hasattr(layer, "finalize_state"):
        layer.finalize_state()
    for part in inside(layer)[0].values():
        finalize(part)


# --8<-- [end:function]


# --8<-- [start:move]
import keras
import tf_keras

new = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.Dense(4, name="dense"),
        keras.layers.BatchNormalization(name="bn"),
    ]
)
old = tf_keras.models.load_model("old.h5")
move_arrays(old, new)
new.save("new.keras")
# --8<-- [end:move]

# --8<-- [start:prove]
import keras
import numpy as np

model = keras.saving.load_model("new.keras")
expected = np.load("expected.npz")
for i, weight in enumerate(model.weights):
    equal = np.array_equal(weight, expected[f"arr_{i}"])
    print(f"{weight.name:16} equal: {equal}")
outputs = model(expected["x"], training=False)
np.testing.assert_allclose(outputs, expected["predictions"], 1e-4, 1e-5)
print("predictions equal within 1e-5")
# --8<-- [end:prove]

# --8<-- [start:models]
import keras
import numpy as np
import tf_keras


def functional(k):
    inputs = k.Input((8,))
    left = k.layers.BatchNormalization(axis=1, scale=False)(inputs)
    right = k.layers.BatchNormalization(center=False)(inputs)
    return k.Model(inputs, k.layers.Dense(1)(k.layers.add([left, right])))


def nested(k):
    dense, bn = k.layers.Dense(4, name="dense"), k.layers.BatchNormalization()
    base = k.Sequential([k.Input((8,)), dense, bn], name="base")
    base.trainable = False
    inputs = k.Input((8,))
    head = k.layers.Dense(1, name="dense")
    return k.Model(inputs, head(base(inputs, training=False)))


def subclassed(k):
    class Net(k.Model):
        def __init__(self):
            super().__init__()
            self.bn = k.layers.BatchNormalization()
            self.blocks = [k.layers.Dense(4), k.layers.BatchNormalization()]

        def call(self, x, training=None):
            x = self.blocks[0](self.bn(x, training=training))
            return self.blocks[1](x, training=training)

    return Net()


rng = np.random.default_rng(0)
x = rng.normal(5, 3, size=(64, 8)).astype("float32")
for build in [functional, nested, subclassed]:
    old, new = build(tf_keras), build(keras)
    old(x), new(x)
    for array in old.weights:
        array.assign(rng.uniform(0.5, 2, array.shape))
    move_arrays(old, new)
    for a, b in pairs(old, new):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_allclose(
        new(x, training=False), old(x, training=False), 1e-4, 1e-4
    )
    print(f"{build.__name__:10} {len(new.weights)} arrays equal")

try:
    move_arrays(nested(tf_keras), functional(keras))
except ValueError as error:
    print(f"ValueError: {str(error).partition(': [')[0]}")
# --8<-- [end:models]
