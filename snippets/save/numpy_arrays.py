# --8<-- [start:model]
import keras
import numpy as np


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
model.compile(
    optimizer="adam",
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(x, y, batch_size=20, epochs=10, verbose=0)


def accuracy_of(net):
    return np.mean(np.argmax(net(x, training=False), axis=1) == y)


print("accuracy is at least 0.9:", accuracy_of(model) >= 0.9)
# --8<-- [end:train]

# --8<-- [start:save]
np.savez("weights.npz", *model.get_weights())
# --8<-- [end:save]

# --8<-- [start:order]
with np.load("weights.npz") as arrays:
    for key, variable in zip(arrays.files, model.weights, strict=True):
        print(key, arrays[key].shape, variable.name)
# --8<-- [end:order]

# --8<-- [start:frozen]
bn = model.get_layer("bn")
order = [variable.path for variable in model.weights]
bn.trainable = False
print("same order:", [variable.path for variable in model.weights] == order)
bn.trainable = True
# --8<-- [end:frozen]

# --8<-- [start:load]
rebuilt = build()
with np.load("weights.npz") as arrays:
    rebuilt.set_weights([arrays[f"arr_{i}"] for i in range(len(arrays))])
# --8<-- [end:load]

# --8<-- [start:prove]
untrained = build()
for name in ["gamma", "beta", "moving_mean", "moving_variance"]:
    start, saved, loaded = (
        getattr(net.get_layer("bn"), name).numpy()
        for net in [untrained, model, rebuilt]
    )
    learned = not np.array_equal(saved, start)
    equal = np.array_equal(saved, loaded)
    print(f"{name:16} learned: {learned}  equal: {equal}")

for saved, loaded in zip(model.weights, rebuilt.weights, strict=True):
    np.testing.assert_array_equal(saved, loaded)
np.testing.assert_array_equal(
    model(x, training=False), rebuilt(x, training=False)
)
print(len(model.weights), "arrays and", len(x), "predictions equal")
# --8<-- [end:prove]

# --8<-- [start:expect]
np.savez(
    "expected.npz",
    *model.get_weights(),
    x=x,
    predictions=model(x, training=False),
)
# --8<-- [end:expect]

# --8<-- [start:reload]
reloaded = build()
with np.load("weights.npz") as arrays:
    reloaded.set_weights([arrays[f"arr_{i}"] for i in range(len(arrays))])

expected = np.load("expected.npz")
for i, array in enumerate(reloaded.get_weights()):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
np.testing.assert_array_equal(
    reloaded(expected["x"], training=False), expected["predictions"]
)
print("equal in a process that did not save")
# --8<-- [end:reload]

# --8<-- [start:paths]
import re

model.save("whole.keras")
again = build()
reloaded = keras.saving.load_model("whole.keras")
for net in [model, again, reloaded]:
    path = net.get_layer("bn").moving_mean.path
    print(re.sub(r"_\d+/", "_N/", path))  # N counts the models before this one
# --8<-- [end:paths]


# --8<-- [start:by_name]
def by_name(net):
    named = {}
    for layer in net.layers:
        for variable in layer.weights:
            key = f"{layer.name}/{variable.name}"
            if key in named:
                raise ValueError(f"two arrays are called {key}")
            named[key] = variable
    if len(named) != len(net.weights):
        raise ValueError("an array belongs to no layer")
    return named


for net in [again, reloaded]:
    print("same keys:", list(by_name(net)) == list(by_name(model)))

saved = {key: variable.numpy() for key, variable in by_name(model).items()}
np.savez("named.npz", **saved)
print(*saved, sep="\n")
# --8<-- [end:by_name]

# --8<-- [start:load_by_name]
rebuilt = build()
targets = by_name(rebuilt)
with np.load("named.npz") as arrays:
    if set(arrays.files) != set(targets):
        raise ValueError(set(arrays.files) ^ set(targets))
    for key, variable in targets.items():
        variable.assign(arrays[key])

np.testing.assert_array_equal(
    model(x, training=False), rebuilt(x, training=False)
)
print("predictions equal")
# --8<-- [end:load_by_name]

# --8<-- [start:auto_names]
for attempt in range(2):
    layer = keras.layers.BatchNormalization()
    layer.build((None, 16))
    print(f"{layer.name}/{layer.moving_mean.name}")
# --8<-- [end:auto_names]

# --8<-- [start:nested]
nested = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.Sequential(
            [keras.layers.Dense(8, name="a"), keras.layers.Dense(8, name="b")],
            name="inner",
        ),
    ]
)
try:
    by_name(nested)
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:nested]

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
np.savez("trainable.npz", *[v.numpy() for v in model.trainable_variables])

lossy = build()
with np.load("trainable.npz") as arrays:
    for i, variable in enumerate(lossy.trainable_variables):
        variable.assign(arrays[f"arr_{i}"])

for saved, loaded in zip(model.weights, lossy.weights, strict=True):
    print(f"{saved.name:16} equal: {np.array_equal(saved, loaded)}")
lost = accuracy_of(model) - accuracy_of(lossy)
print("accuracy lost, at least 0.1:", lost >= 0.1)
# --8<-- [end:trainable]

# --8<-- [start:repair]
for step in range(1000):
    rows = np.random.choice(len(x), 100)
    lossy(x[rows], training=True)

lost = accuracy_of(model) - accuracy_of(lossy)
print("accuracy lost, at least 0.05:", lost >= 0.05)
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
bn = filled.get_layer("bn")
bn.gamma.assign(gamma)
bn.beta.assign(beta)
bn.moving_mean.assign(mean)
bn.moving_variance.assign(variance)

np.testing.assert_array_equal(
    model(x, training=False), filled(x, training=False)
)
print("predictions equal")
# --8<-- [end:assign]

# --8<-- [start:count]
try:
    filled.set_weights(model.get_weights()[:-1])
except ValueError as error:
    print("ValueError:", re.sub(r"sequential_\d+", "sequential_N", str(error)))

try:
    bn.set_weights([mean, variance])
except ValueError as error:
    print("ValueError:", error)
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

# --8<-- [start:half]
weights = model.get_weights()
weights[6] = weights[6].T

half = build()
try:
    half.set_weights(weights)
except ValueError as error:
    print("ValueError:", re.sub(r"sequential_\d+", "sequential_N", str(error)))
for saved, loaded in zip(model.weights, half.weights, strict=True):
    print(f"{saved.name:16} equal: {np.array_equal(saved, loaded)}")
# --8<-- [end:half]

# --8<-- [start:sorted]
print(sorted(["arr_1", "arr_2", "arr_10"]))
# --8<-- [end:sorted]

# --8<-- [start:ragged]
try:
    np.save("weights.npy", model.get_weights())
except ValueError as error:
    print("ValueError:", error)
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
