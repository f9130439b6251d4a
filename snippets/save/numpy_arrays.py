# --8<-- [start:recipe]
import keras
import numpy as np

from bn_tools import layers_in


def save_arrays(file, model):
    """Write all arrays of a model, in order, with their names to compare."""
    names = [weight.name for weight in model.weights]
    if not names:
        raise ValueError("the model has no arrays yet: call it once")
    if any(array.dtype.kind == "V" for array in model.get_weights()):
        raise ValueError("NumPy cannot load bfloat16: convert to float32")
    np.savez(file, *model.get_weights(), names=names)


def load_arrays(file, model):
    """Give a model of the same code its arrays back; all of them or none."""
    with np.load(file) as saved:
        names = saved["names"].tolist()
        arrays = [saved[f"arr_{i}"] for i in range(len(names))]
    found = [(w.name, w.shape, w.dtype) for w in model.weights]
    wanted = [
        (n, a.shape, a.dtype.name) for n, a in zip(names, arrays, strict=True)
    ]
    if found != wanted:
        raise ValueError(f"other arrays: {wanted} in the file, {found} here")
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
model.fit(x, y, batch_size=20, epochs=10, verbose=0)


def accuracy_of(net):
    return np.mean(np.argmax(net(x, training=False), axis=1) == y)


def equal(net):
    pairs = zip(model.weights, net.weights, strict=True)
    return sum(np.array_equal(a, b) for a, b in pairs)


def same_predictions(one, other):
    return np.array_equal(one(x, training=False), other(x, training=False))


print("accuracy is at least 0.9:", accuracy_of(model) >= 0.9)
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
    print(f"frozen={frozen!s:5}", *[weight.name for weight in model.weights])
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


# --8<-- [start:normalization]
def with_normalization(data):
    normalization = keras.layers.Normalization()
    normalization.adapt(data)
    bn = keras.layers.BatchNormalization()
    return keras.Sequential([keras.Input(shape=(8,)), normalization, bn])


first = with_normalization(x)
save_arrays("adapted.npz", first)
for way in ["set_weights", "load_arrays"]:
    other = with_normalization(10 * x)
    other.predict(x, verbose=0)
    if way == "set_weights":
        other.set_weights(first.get_weights())
    else:
        load_arrays("adapted.npz", other)
    arrays = all(map(np.array_equal, first.weights, other.weights))
    print(f"{way}: arrays equal: {arrays}", end="  ")
    print("predictions equal:", same_predictions(first, other), end="  ")
    outputs = [net.predict(x, verbose=0) for net in [first, other]]
    print("by predict:", np.allclose(*outputs, atol=1e-4))
# --8<-- [end:normalization]


# --8<-- [start:by_name]
def by_name(net):
    """Return each array by the name of its layer and its own; or raise."""
    named = {}
    for layer in net.layers:
        for variable in layer.weights:
            key = f"{layer.name}/{variable.name}"
            if key in named:
                raise ValueError(f"one name for two arrays: {key}")
            named[key] = variable
    if not named or {*map(id, named.values())} != {*map(id, net.weights)}:
        raise ValueError("no arrays yet, or one that belongs to no layer")
    if any(variable.dtype == "bfloat16" for variable in named.values()):
        raise ValueError("NumPy cannot load bfloat16: convert to float32")
    return named


def load_by_name(file, net):
    """Assign each array of a file to the one of that name; all or none."""
    targets = by_name(net)
    with np.load(file) as saved:
        arrays = {key: saved[key] for key in saved.files}
    found = {key: (v.shape, v.dtype) for key, v in targets.items()}
    wanted = {key: (a.shape, a.dtype.name) for key, a in arrays.items()}
    if found != wanted:
        raise ValueError(f"other arrays: {found.items() ^ wanted.items()}")
    for key, variable in targets.items():
        variable.assign(arrays[key])
    for layer in layers_in(net, {}).values():
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()
        if isinstance(layer, keras.Model):  # traced with the old ones
            layer.predict_function = None
            layer.test_function = layer.train_function = None


# --8<-- [end:by_name]

# --8<-- [start:load_by_name]
np.savez("named.npz", **{k: v.numpy() for k, v in by_name(model).items()})

rebuilt = build()
print("predictions equal before:", same_predictions(model, rebuilt))
load_by_name("named.npz", rebuilt)
print("predictions equal after: ", same_predictions(model, rebuilt))
print(*by_name(model), sep="\n")
# --8<-- [end:load_by_name]


# --8<-- [start:nested]
def around(layer, *shape):
    return keras.Sequential([keras.Input(shape=shape), layer])


inner = [keras.layers.Dense(8, name="a"), keras.layers.Dense(8, name="b")]
for net in [
    around(keras.Sequential(inner, name="inner"), 8),
    around(keras.layers.Bidirectional(keras.layers.GRU(2), name="gru"), 4, 8),
    around(keras.layers.Dense(8, name="dense"), 8),
]:
    try:
        print("keys:", *by_name(net))
    except ValueError as error:
        print("ValueError:", error)
# --8<-- [end:nested]

# --8<-- [start:paths]
import re

model.save("whole.keras")
again = build()
reloaded = keras.saving.load_model("whole.keras")
for net in [model, again, reloaded]:
    path = net.get_layer("bn").moving_mean.path
    path = re.sub(r"_\d+/", "_N/", path)  # N counts the models before this one
    print(f"{path:29} same keys: {list(by_name(net)) == list(by_name(model))}")

unnamed = [keras.layers.BatchNormalization() for _ in range(2)]
print("unnamed layers share a name:", unnamed[0].name == unnamed[1].name)
# --8<-- [end:paths]

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

# --8<-- [start:trainable]
lossy = build()
for source, target in zip(
    model.trainable_variables, lossy.trainable_variables, strict=True
):
    target.assign(source)
lost = accuracy_of(model) - accuracy_of(lossy)
print(f"{equal(lossy)} of 8 arrays, accuracy lost, at least 0.1: {lost >= 0.1}")
# --8<-- [end:trainable]

# --8<-- [start:repair]
from bn_tools import estimate_again

print(len(estimate_again(lossy, [x])), "layer estimated again")
lost = accuracy_of(model) - accuracy_of(lossy)
print(
    f"{equal(lossy)} of 8 arrays, accuracy lost, at least 0.05: {lost >= 0.05}"
)
# --8<-- [end:repair]


# --8<-- [start:swapped]
def with_swapped(i, j):
    weights = model.get_weights()
    weights[i], weights[j] = weights[j], weights[i]
    net = build()
    net.set_weights(weights)
    return net


for case, i, j in [
    ("nothing swapped", 2, 2),
    ("gamma and beta", 2, 3),
    ("moving_mean and moving_variance", 4, 5),
]:
    lost = accuracy_of(model) - accuracy_of(with_swapped(i, j))
    print(f"{case:31}  accuracy lost, at least 0.05: {lost >= 0.05}")
# --8<-- [end:swapped]

# --8<-- [start:assign]
gamma, beta, mean, variance = model.get_layer("bn").get_weights()

filled = with_swapped(4, 5)
print("predictions equal before:", same_predictions(model, filled))
bn = filled.get_layer("bn")
bn.gamma.assign(gamma)
bn.beta.assign(beta)
bn.moving_mean.assign(mean)
bn.moving_variance.assign(variance)

print("predictions equal after: ", same_predictions(model, filled))
# --8<-- [end:assign]

# --8<-- [start:count]
try:
    filled.set_weights(model.get_weights()[:-1])
except ValueError as error:
    print("ValueError: ...", str(error).partition(" with a ")[2])

try:
    bn.set_weights([mean, variance])
except ValueError as error:
    print("ValueError: ...", str(error).partition(" with a ")[2])
# --8<-- [end:count]

# --8<-- [start:two_arrays]
plain = keras.layers.BatchNormalization(center=False, scale=False)
plain.build((None, 16))
print("arrays:", [variable.name for variable in plain.weights])
plain.set_weights([mean, variance])

bn.set_weights([np.ones(16), np.zeros(16), mean, variance])
np.testing.assert_allclose(
    bn(values, training=False), plain(values, training=False), atol=1e-5
)
print("equal within 1e-5")
# --8<-- [end:two_arrays]

# --8<-- [start:sorted]
print(sorted(["arr_1", "arr_2", "arr_10"]))
print([f"arr_{i}" for i in [1, 2, 10]])
# --8<-- [end:sorted]

# --8<-- [start:ragged]
try:
    np.save("weights.npy", model.get_weights())
except ValueError as error:
    print("ValueError:", str(error).partition(". The requested")[0])
# --8<-- [end:ragged]

# --8<-- [start:half_precision]
np.savez("half.npz", *[w.astype("float16") for w in model.get_weights()])

rounded = build()
with np.load("half.npz") as arrays:
    rounded.set_weights([arrays[f"arr_{i}"] for i in range(len(arrays))])

expected = model(x, training=False).numpy()
predictions = rounded(x, training=False).numpy()
print("predictions equal:", np.array_equal(expected, predictions))
np.testing.assert_allclose(predictions, expected, atol=0.01)
print("predictions equal within 0.01")
# --8<-- [end:half_precision]

# --8<-- [start:overflow]
print("largest float16:", int(np.finfo("float16").max))

variance = np.array([9.0, 90_000.0], dtype="float32")
with np.errstate(over="ignore"):
    print("a variance of 9 and one of 90,000:", *variance.astype("float16"))
# --8<-- [end:overflow]

# --8<-- [start:compressed]
np.savez_compressed("compressed.npz", *model.get_weights())

with np.load("compressed.npz") as arrays:
    for i, array in enumerate(model.get_weights()):
        np.testing.assert_array_equal(array, arrays[f"arr_{i}"])
print(len(model.get_weights()), "arrays equal")
# --8<-- [end:compressed]
