# --8<-- [start:data]
import keras
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(0)

images, labels = load_digits(return_X_y=True)
images = images.reshape(-1, 8, 8, 1).astype("float32") / 16
x_train, x_test, y_train, y_test = train_test_split(
    images, labels, test_size=0.25, stratify=labels, random_state=0
)
print(x_train.shape, x_test.shape)
# --8<-- [end:data]

# --8<-- [start:train]
model = keras.Sequential(
    [
        keras.Input(shape=(8, 8, 1)),
        keras.layers.Conv2D(16, 3, use_bias=False),
        keras.layers.BatchNormalization(epsilon=1e-5, name="bn1"),
        keras.layers.ReLU(),
        keras.layers.Conv2D(32, 3, 2, use_bias=False),
        keras.layers.BatchNormalization(name="bn2"),
        keras.layers.ReLU(),
        keras.layers.Flatten(),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
model.fit(x_train, y_train, batch_size=32, epochs=12, verbose=0)


def accuracy_of(net, training=False):
    return np.mean(np.argmax(net(x_test, training=training), axis=1) == y_test)


print("test accuracy is at least 0.95:", accuracy_of(model) >= 0.95)
# --8<-- [end:train]

# --8<-- [start:save]
model.save("digits.keras")
# --8<-- [end:save]

# --8<-- [start:load]
reloaded = keras.saving.load_model("digits.keras")
# --8<-- [end:load]

# --8<-- [start:prove]
untrained = keras.models.clone_model(model)  # the same layers, as they start
for name in ["bn1", "bn2"]:
    for array in ["gamma", "beta", "moving_mean", "moving_variance"]:
        start, saved, loaded = (
            getattr(net.get_layer(name), array).numpy()
            for net in [untrained, model, reloaded]
        )
        learned = not np.array_equal(saved, start)
        equal = np.array_equal(saved, loaded)
        print(f"{name} {array:16} learned: {learned}  equal: {equal}")

predictions = model(x_test, training=False).numpy()
np.testing.assert_array_equal(predictions, reloaded(x_test, training=False))
np.testing.assert_array_equal(
    model(x_test[:1], training=False), reloaded(x_test[:1], training=False)
)
print("predictions equal, for one image and for all")
# --8<-- [end:prove]

# --8<-- [start:expect]
np.savez(
    "expected.npz", *model.get_weights(), x=x_test, predictions=predictions
)
# --8<-- [end:expect]

# --8<-- [start:reload]
import keras
import numpy as np

loaded = keras.saving.load_model("digits.keras")
expected = np.load("expected.npz")

weights = loaded.get_weights()
for i, array in enumerate(weights):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
np.testing.assert_array_equal(
    loaded(expected["x"], training=False), expected["predictions"]
)
print(len(weights), "arrays and", len(expected["x"]), "predictions equal")
# --8<-- [end:reload]

# --8<-- [start:settings]
layer = reloaded.get_layer("bn1")
print("epsilon:", layer.epsilon)
print("momentum:", layer.momentum)
print("axis:", layer.axis)
print("optimizer:", reloaded.optimizer.name)
print("steps taken:", int(reloaded.optimizer.iterations))
# --8<-- [end:settings]

# --8<-- [start:policy]
for policy in ["float32", "mixed_float16"]:
    mixed = keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.BatchNormalization(name="bn", dtype=policy),
        ]
    )
    mixed.save("mixed.keras")
    bn = keras.saving.load_model("mixed.keras").get_layer("bn")
    print(f"{bn.dtype_policy.name:13} with arrays of {bn.moving_mean.dtype}")
# --8<-- [end:policy]

# --8<-- [start:frozen]
partly = keras.saving.load_model("digits.keras")
partly.get_layer("bn1").trainable = False
wholly = keras.saving.load_model("digits.keras")
wholly.trainable = False

for frozen in [partly, wholly]:
    frozen.save("frozen.keras")
    again = keras.saving.load_model("frozen.keras")
    for word, net in [("saved ", frozen), ("loaded", again)]:
        arrays = len(net.trainable_variables)
        print(f"{word} model: {net.trainable}, trainable arrays: {arrays}")
# --8<-- [end:frozen]

# --8<-- [start:thawed]
inputs = keras.Input(shape=(5, 8))
attention = keras.layers.MultiHeadAttention(2, 4)
norm = keras.layers.BatchNormalization()
attends = keras.Model(inputs, norm(attention(inputs, inputs)))
print("trainable arrays    saved  loaded  = False  = True, = False")
for layer in [norm, attention]:
    layer.trainable = False
    attends.save("attends.keras")
    again = keras.saving.load_model("attends.keras")
    counts = [len(net.trainable_variables) for net in [attends, again]]
    for values in [[False], [True, False]]:
        for value in values:
            again.get_layer(layer.name).trainable = value
        counts.append(len(again.trainable_variables))
    saved, loaded, once, twice = counts
    name = type(layer).__name__
    print(f"{name:19} {saved:<6} {loaded:<7} {once:<8} {twice}")
    layer.trainable = True
# --8<-- [end:thawed]

# --8<-- [start:no_extension]
try:
    model.save("digits")
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:no_extension]

# --8<-- [start:tf_keras_saving]
import tensorflow as tf

try:
    tf.keras.saving.load_model("digits.keras")
except AttributeError as error:
    print("AttributeError:", error)
# --8<-- [end:tf_keras_saving]


# --8<-- [start:function]
def squared(y_true, y_pred):
    return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)


judged = keras.Sequential(
    [keras.Input(shape=(4,)), keras.layers.BatchNormalization()]
)
judged.compile(optimizer="sgd", loss=squared)
judged.fit(np.ones((8, 4)), np.ones((8, 4)), verbose=0)
judged.save("judged.keras")

for arguments in [
    {},
    {"compile": False},
    {"custom_objects": {"squared": squared}},
]:
    try:
        again = keras.saving.load_model("judged.keras", **arguments)
    except TypeError as error:
        text = str(error)
        start = text.index("Could not locate function")
        print("TypeError:", text[start : text.index(".", start)])
        continue
    optimizer = getattr(again, "optimizer", None)
    equal = all(map(np.array_equal, judged.weights, again.weights))
    step = optimizer and int(optimizer.iterations)
    print(f"{[*arguments]}: arrays equal: {equal}, step: {step}")
# --8<-- [end:function]

# --8<-- [start:over]
import os


def save_over(model, path):
    """Replace a .keras file: the old one stays until the new one is whole."""
    if not str(path).endswith(".keras"):
        raise ValueError(f"{path} does not end in .keras")
    new = f"{path}.new.keras"
    model.save(new)
    with open(new, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(new, path)


# --8<-- [end:over]


# --8<-- [start:crash]
class Interrupts(keras.layers.Layer):
    def save_own_variables(self, store):
        raise KeyboardInterrupt  # in the middle of the write


def holds(path, net):
    try:
        loaded = keras.saving.load_model(path)
    except Exception:
        return False
    return all(map(np.array_equal, net.get_weights(), loaded.get_weights()))


def save(net, path):
    net.save(path)


stops = keras.Sequential(
    [keras.Input(shape=(4,)), keras.layers.Dense(3), Interrupts()]
)
for way in [save, save_over]:
    model.save("best.keras")
    try:
        way(stops, "best.keras")
    except KeyboardInterrupt:
        there = holds("best.keras", model)
        print(f"{way.__name__}: the old model is still there: {there}")
partly.get_layer("bn1").beta.assign(np.ones(16))
save_over(partly, "best.keras")
there = holds("best.keras", partly)
print("save_over, not interrupted: the new model is there:", there)
# --8<-- [end:crash]

# --8<-- [start:few_steps]
keras.utils.set_random_seed(0)
young = keras.models.clone_model(model)
young.compile(
    optimizer=keras.optimizers.SGD(0.1),
    loss="sparse_categorical_crossentropy",
)
young.fit(x_train, y_train, batch_size=64, epochs=1, verbose=0)
young.save("young.keras")
reloaded_young = keras.saving.load_model("young.keras")

loaded = accuracy_of(reloaded_young, training=False)
saved = accuracy_of(young, training=False)
on_batch_statistics = accuracy_of(young, training=True)
print("batch statistics score 0.1 more:", on_batch_statistics > saved + 0.1)
print("loading changed the accuracy:", loaded != saved)
# --8<-- [end:few_steps]

# --8<-- [start:share]
for net in [young, model]:
    steps = int(net.optimizer.iterations)
    share = 0.99**steps
    print(f"after {steps:3} steps, {share:.1%} is still the starting value")
# --8<-- [end:share]

# --8<-- [start:train_on]
reloaded.fit(x_train, y_train, batch_size=32, epochs=1, verbose=0)
print("steps taken:", int(reloaded.optimizer.iterations))
# --8<-- [end:train_on]

# --8<-- [start:not_compiled]
for again in [False, True]:
    loaded = keras.saving.load_model("digits.keras")
    if again:
        loaded.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    steps = int(loaded.optimizer.iterations)
    print(f"compiled again: {again!s:5}  steps taken: {steps}")
# --8<-- [end:not_compiled]


# --8<-- [start:decay]
def build(optimizer):
    layers = [keras.layers.Dense(4), keras.layers.BatchNormalization(name="bn")]
    net = keras.Sequential([keras.Input((8,)), *layers])
    net.compile(optimizer, loss="mse")
    return net


rows, targets = x_test[:, 3, :, 0], x_test[:, 4, :4, 0]
adam = keras.optimizers.AdamW(0.01, weight_decay=0.5)
adam.exclude_from_weight_decay(var_names=["gamma", "beta"])
net = build(adam)
net.fit(rows, targets, verbose=0)
net.save("decay.keras")

loaded, mended = (keras.saving.load_model("decay.keras") for _ in range(2))
old = mended.optimizer
new = old.from_config(old.get_config())
new.exclude_from_weight_decay(var_names=["gamma", "beta"])
new.build(mended.trainable_variables)
for variable, value in zip(new.variables, old.variables, strict=True):
    variable.assign(value)
mended.compile(new, loss="mse")

nets = {"not saved": net, "loaded": loaded, "excluded again": mended}
for name, each in nets.items():
    each.fit(rows, targets, shuffle=False, verbose=0)
    same = np.array_equal(each.get_layer("bn").gamma, net.get_layer("bn").gamma)
    print(f"{name:15} gamma as if nothing was saved: {same}")
# --8<-- [end:decay]

# --8<-- [start:older]
for own in [True, False]:
    net = build("adam")
    net.fit(rows, targets, verbose=0)
    net.layers[0].trainable = False
    net.compile(net.optimizer if own else "adam", loss="mse")
    net.fit(rows, targets, verbose=0)
    net.save("frozen.keras")

    loaded = keras.saving.load_model("frozen.keras")
    steps = [int(each.optimizer.iterations) for each in (net, loaded)]
    print(
        f"old optimizer: {own!s:5}  saved at step {steps[0]}, loaded at",
        steps[1],
    )
# --8<-- [end:older]

# --8<-- [start:export]
model.export("digits", verbose=False)
served = tf.saved_model.load("digits")

# Exported, the same sums run in another order: the last digits differ.
np.testing.assert_allclose(served.serve(x_test), predictions, atol=1e-5)
print("predictions equal within 1e-5")
# --8<-- [end:export]
