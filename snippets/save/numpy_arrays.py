# --8<-- [start:recipe]
import os

import keras
import numpy as np

from bn_tools import layers_in, same_names


def save_arrays(file, model):
    """Write all arrays of a model, in order, with their paths to compare."""
    names = [weight.path for weight in model.weights]
    if not names:
        raise ValueError("the model has no arrays yet: call it once")
    if any(array.dtype.kind == "V" for array in model.get_weights()):
        raise ValueError("NumPy cannot load bfloat16: convert to float32")
    part = f"{file}.part.npz"  # a crash leaves the file of before
    np.savez(part, *model.get_weights(), names=names)
    os.replace(part, file)


def load_arrays(file, model):
    """Give a model of the same code its arrays back; all of them or none."""
    with np.load(file) as saved:
        names = saved["names"].tolist()
        arrays = [saved[f"arr_{i}"] for i in range(len(names))]
    kinds = [(array.shape, array.dtype.name) for array in arrays]
    here = [(weight.shape, weight.dtype) for weight in model.weights]
    paths = [weight.path for weight in model.weights]
    if kinds != here or not same_names(names, paths):
        raise ValueError("other arrays than when saved, or in another order")
    model.set_weights(arrays)
    for layer in layers_in(model, {}).values():
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()  # mean and variance beside its arrays
        if isinstance(layer, keras.Model):  # traced with the old ones
            layer.predict_function = None
            layer.test_function = layer.train_function = None


# --8<-- [end:recipe]


# --8<-- [start:model]
def build():
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.Dense(16, activation="relu", name="dense"),
            keras.layers.BatchNormalization(name="bn"),
            keras.layers.Dense(3, activation="softmax", name="out"),
        ]
    )


# --8<-- [end:model]

# --8<-- [start:train]
keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(1000, 8)).astype("float32")
y = np.argmax(x[:, :3], axis=1)

model = build()
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
model.fit(x, y, verbose=0)


def equal(net):
    pairs = zip(model.weights, net.weights, strict=True)
    return sum(np.array_equal(a, b) for a, b in pairs)


def same_predictions(one, other):
    return np.array_equal(one(x, training=False), other(x, training=False))


# --8<-- [end:train]

# --8<-- [start:save]
save_arrays("weights.npz", model)

rebuilt = build()
print("arrays equal before:", equal(rebuilt), "of 8")
load_arrays("weights.npz", rebuilt)
print("arrays equal after: ", equal(rebuilt), "of 8")
print("predictions equal:", same_predictions(model, rebuilt))
# --8<-- [end:save]

# --8<-- [start:order]
bn = model.get_layer("bn")
for frozen in [False, True]:
    bn.trainable = not frozen
    count = len(model.trainable_weights)
    print(count, "trainable:", *[weight.name for weight in model.weights])
bn.trainable = True
# --8<-- [end:order]

# --8<-- [start:expect]
from bn_tools import write_record

write_record("record.npz", model, x[:32])
# --8<-- [end:expect]

# --8<-- [start:reload]
from bn_tools import compare

reloaded = build()
print("before:", len(compare("record.npz", reloaded)), "differences")
load_arrays("weights.npz", reloaded)
print("after:", compare("record.npz", reloaded))
# --8<-- [end:reload]

# --8<-- [start:refused]
wider = build()
wider.pop()
wider.add(keras.layers.Dense(4, name="out"))
start = wider.get_weights()
for name, load in {
    "load_arrays": lambda: load_arrays("weights.npz", wider),
    "set_weights": lambda: wider.set_weights(model.get_weights()),
}.items():
    try:
        load()
    except ValueError:
        kept = sum(map(np.array_equal, start, wider.get_weights()))
        print(f"{name} raises, and {kept} of 8 arrays are as before")
# --8<-- [end:refused]

# --8<-- [start:formula]
import tensorflow as tf

bn = model.get_layer("bn")
gamma, beta, mean, variance = bn.get_weights()
values = np.random.normal(5, 3, size=(100, 16)).astype("float32")
expected = bn(values, training=False)

by_hand = gamma * (values - mean) / np.sqrt(variance + bn.epsilon) + beta
by_tensorflow = tf.nn.batch_normalization(
    values,
    mean=mean,
    variance=variance,
    offset=beta,
    scale=gamma,
    variance_epsilon=bn.epsilon,
)
# The same sums in another order: the last digits differ.
np.testing.assert_allclose(by_hand, expected, rtol=1e-4, atol=1e-4)
np.testing.assert_allclose(by_tensorflow, expected, rtol=1e-4, atol=1e-4)
print("both equal the layer within 1e-4")
# --8<-- [end:formula]
