# --8<-- [start:setup]
import keras
from keras import layers


def build(blocks, extra_norm=False):
    """A net with a base inside, which is one layer of the file."""
    base = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3),
            layers.BatchNormalization(),
        ]
    )
    net = keras.Sequential([keras.Input((8, 8, 3)), base])
    for _ in range(blocks):
        net.add(layers.Conv2D(4, 3, padding="same", use_bias=False))
        net.add(layers.BatchNormalization())
        net.add(layers.ReLU())
    if extra_norm:
        net.add(layers.BatchNormalization(scale=False))
    net.add(layers.Flatten())
    net.add(layers.Dense(2))
    return net


trained = build(blocks=2, extra_norm=True)
trained.save_weights("trained.weights.h5")
trained.save("trained.h5")
# --8<-- [end:setup]

# --8<-- [start:see]
net = build(blocks=1)
try:
    net.load_weights("trained.h5")
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:see]

# --8<-- [start:fix]
import difflib

import h5py


def beside(path, model):
    """Print the layers of a legacy `.h5` file beside those of the model.

    A layer is known by the shapes of its arrays, as `load_weights` goes by
    the order. Names count for nothing. "-" stands before what only the file
    has, "+" before what only the model has.
    """
    with h5py.File(path) as file:
        group = file["model_weights"] if "model_weights" in file else file
        if "layer_names" not in group.attrs:
            raise ValueError(f"{path} is no legacy .h5 file")
        names = [  # Keras 1 and 2 wrote bytes
            name.decode() if isinstance(name, bytes) else name
            for name in group.attrs["layer_names"]
        ]
        old = [
            (name, sorted(group[name][array].shape for array in arrays))
            for name in names
            if len(arrays := group[name].attrs["weight_names"])
        ]
    new = [
        (layer.name, sorted(tuple(array.shape) for array in layer.weights))
        for layer in model.layers
        if layer.weights
    ]
    if not new:
        raise ValueError("the model has no arrays yet: call it on a batch")
    lines = [[str(shapes) for _, shapes in side] for side in (old, new)]
    matcher = difflib.SequenceMatcher(None, *lines, autojunk=False)
    for tag, i, i_end, j, j_end in matcher.get_opcodes():
        if tag == "equal":
            print("  layers that fit:", i_end - i)
            continue
        for sign, side in [("-", old[i:i_end]), ("+", new[j:j_end])]:
            for name, shapes in side:
                print(sign, name, *shapes)


beside("trained.h5", net)
# --8<-- [end:fix]

# --8<-- [start:fixed]
net = build(blocks=2, extra_norm=True)
beside("trained.h5", net)
net.load_weights("trained.h5")
# --8<-- [end:fixed]

# --8<-- [start:sure]
import numpy as np

pairs = zip(net.weights, trained.weights, strict=True)
print("all arrays equal:", all(np.array_equal(a, b) for a, b in pairs))
# --8<-- [end:sure]
