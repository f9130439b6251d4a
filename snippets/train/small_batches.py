# --8<-- [start:left_over]
import keras
import numpy as np
import tensorflow as tf


def build():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input(shape=(2,)),
            keras.layers.BatchNormalization(name="bn"),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(5, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.SGD(0.3),
        loss="sparse_categorical_crossentropy",
    )
    return model


def report(case, model):
    share = np.mean(model.get_layer("bn").moving_variance / x.var(axis=0))
    accuracy = np.mean(np.argmax(model(x, training=False), axis=1) == y)
    print(f"{case:12} variance {share:.1f} of the true one", end=", ")
    print("accuracy above 0.9:", accuracy > 0.9)


x = np.random.default_rng(0).normal(5, 3, size=(65, 2)).astype("float32")
y = np.digitize(x[:, 0], [2, 4, 6, 8])  # which of five intervals
rows = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(65, seed=0)
# --8<-- [end:left_over]

# --8<-- [start:drop]
kept, dropped = build(), build()
kept.fit(rows.batch(64).repeat(300), shuffle=False, verbose=0)
full = rows.batch(64, drop_remainder=True)
dropped.fit(full.repeat(300), shuffle=False, verbose=0)
report("kept", kept)
report("dropped", dropped)
# --8<-- [end:drop]

# --8<-- [start:save]
kept.save("left-over.keras")
np.savez("data.npz", x=x, y=y, predictions=kept(x, training=False))
# --8<-- [end:save]

# --8<-- [start:repair]
from bn_tools import estimate_again

model = keras.saving.load_model("left-over.keras")
report("loaded", model)
estimate_again(model, [x])  # a list of batches, or a dataset
report("repaired", model)
model.save("repaired.keras")
# --8<-- [end:repair]

# --8<-- [start:reload]
import keras
import numpy as np

data = np.load("data.npz")
for file in ["left-over.keras", "repaired.keras"]:
    loaded = keras.saving.load_model(file)
    answers = np.asarray(loaded(data["x"], training=False))
    right = np.mean(np.argmax(answers, axis=1) == data["y"])
    same = np.array_equal(answers, data["predictions"])
    print(f"{file:15} as it was: {same!s:5}  above 0.9: {right > 0.9}")
# --8<-- [end:reload]

# --8<-- [start:full]
print("full batches  last one kept  dropped")
for full in [1, 10, 100]:
    shares = []
    for last in [1, 0]:
        layer = keras.layers.BatchNormalization()
        call = tf.function(layer)
        random = np.random.default_rng(0)
        for _ in range(440 // (full + 1)):
            for n in [64] * full + [1] * last:
                x = random.normal(5, 1, size=(n, 100)).astype("float32")
                call(x, training=True)
        shares.append(np.mean(layer.moving_variance))
    print(f"{full:12}  {shares[0]:13.2f}  {shares[1]:7.2f}")
# --8<-- [end:full]

# --8<-- [start:table]
import math


def batch_statistics(shape):
    # 10,000 channels are as many experiments at once.
    x = np.random.default_rng(0).normal(5, 3, size=(*shape, 10_000))
    layer = keras.layers.BatchNormalization(momentum=0.0)
    layer(x.astype("float32"), training=True)
    variance = np.mean(layer.moving_variance) / 3**2
    return variance, np.std(layer.moving_mean) / 3


print("shape        N  variance  (N - 1)/N  spread of the mean")
for shape in [(1,), (2,), (5,), (10,), (100,), (2, 5, 5)]:
    n = math.prod(shape)
    variance, spread = batch_statistics(shape)
    print(f"{shape!s:9}  {n:3}  {variance:8.2f}", end="")
    print(f"  {(n - 1) / n:9.2f}  {spread:18.2f}")
# --8<-- [end:table]

# --8<-- [start:plot]
import matplotlib.pyplot as plt

random = np.random.default_rng(0)
for rows, place in {1: 0.04, 2: 0.52, 5: 0.83, 100: 1.03}.items():
    layer = keras.layers.BatchNormalization(momentum=0.99)
    call = tf.function(layer)  # much faster for many steps
    shares = []
    for _ in range(500):
        x = random.normal(5, 3, size=(rows, 1)).astype("float32")
        call(x, training=True)
        shares.append(layer.moving_variance.numpy()[0] / 3**2)
    (line,) = plt.plot(range(0, 500, 5), shares[::5])
    label = f"{rows} row" if rows == 1 else f"{rows} rows"
    plt.annotate(label, (510, place), color=line.get_color())
plt.xlim(0, 600)
plt.xticks([0, 100, 200, 300, 400, 500])
plt.xlabel("steps")
plt.ylabel("moving variance / true variance")
plt.savefig("variance.svg")
# --8<-- [end:plot]

# --8<-- [start:images]
from sklearn.datasets import load_digits

images, labels = load_digits(return_X_y=True)
images = (images / 16).reshape(-1, 8, 8, 1).astype("float32")
random = np.random.default_rng(0)
brightness = random.normal(0, 0.5, size=(len(images), 1, 1, 1))
photos = (images + brightness).astype("float32")


def found(images, n):
    layer = keras.layers.BatchNormalization(momentum=0.0)
    call = tf.function(layer)
    shares = []
    for start in range(0, 100 * n, n):
        call(images[start : start + n], training=True)
        shares.append(layer.moving_variance.numpy()[0] / images.var())
    return np.mean(shares)


print("images in a batch  one brightness  several")
for n in [1, 2, 4, 16]:
    print(f"{n:17}  {found(images, n):14.2f}  {found(photos, n):7.2f}")
# --8<-- [end:images]

# --8<-- [start:one]
random = np.random.default_rng(0)
row = random.normal(5, 3, size=(1, 4)).astype("float32")
image = random.normal(5, 3, size=(1, 8, 8, 4)).astype("float32")
pooled = keras.layers.GlobalAveragePooling2D()(image)
for name, x in {"row": row, "image": image, "pooled image": pooled}.items():
    layer = keras.layers.BatchNormalization(beta_initializer="ones")
    outputs = layer(x, training=True).numpy()
    print(f"one {name:12}  all outputs are beta: {np.all(outputs == 1)}")
# --8<-- [end:one]

# --8<-- [start:one_trained]
x = random.normal(5, 3, size=(100, 4)).astype("float32")
for batch_size in [1, 10]:
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.Dense(4, name="below"),
            keras.layers.BatchNormalization(momentum=0.9, name="bn"),
            keras.layers.Dense(1),
        ]
    )
    model.compile(optimizer="sgd", loss="mse")
    before = model.get_layer("below").kernel.numpy()
    model.fit(x, x[:, 0], batch_size=batch_size, epochs=2, verbose=0)

    bn = model.get_layer("bn")
    moved = not np.array_equal(before, model.get_layer("below").kernel)
    width = np.std(bn(model.get_layer("below")(x), training=False))
    print("rows in a batch:", batch_size)
    print("    kernel below the layer moved:", moved)
    print("    moving variance below 0.001:", np.max(bn.moving_variance) < 1e-3)
    print("    outputs more than 10 times too wide:", width > 10)
# --8<-- [end:one_trained]

# --8<-- [start:two]
pair = np.array([[2, 5.0, 3], [8, 5.5, -40]], dtype="float32")
outputs = keras.layers.BatchNormalization()(pair, training=True)
print(np.round(outputs, 1))
# --8<-- [end:two]

# --8<-- [start:controls]
images = images.reshape(-1, 64)


def train(norm, batch_size):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input(shape=(64,))])
    for _ in range(3):
        model.add(keras.layers.Dense(64))
        if norm:
            model.add(norm())
        model.add(keras.layers.ReLU())
    model.add(keras.layers.Dense(10, activation="softmax"))
    model.compile(
        optimizer=keras.optimizers.SGD(0.03),
        loss="sparse_categorical_crossentropy",
    )
    rows = tf.data.Dataset.from_tensor_slices((images[:1000], labels[:1000]))
    batches = rows.shuffle(1000, seed=0).repeat().batch(batch_size)
    model.fit(batches, steps_per_epoch=500, shuffle=False, verbose=0)
    return model


def good(model):
    answers = np.argmax(model(images[1000:], training=False), axis=1)
    return np.mean(answers == labels[1000:]) > 0.7


def groups_of_8():
    return keras.layers.GroupNormalization(groups=8)


BN, GN = keras.layers.BatchNormalization, groups_of_8
print(f"500 steps in batches of{'':11}above 0.7  after the pass  exact")
for case, norm, batch_size in [
    (" 2 rows, BatchNormalization", BN, 2),
    ("64 rows, BatchNormalization", BN, 64),
    (" 2 rows, GroupNormalization", GN, 2),
    (" 2 rows, no normalization", None, 2),
]:
    model = train(norm, batch_size)
    before, after, exact = good(model), "-", "-"
    if norm == BN:
        estimate_again(model, [images[:1000]])
        after = good(model)
        dense, bn = model.layers[:2]
        true_mean = np.mean(dense(images[:1000]), axis=0)
        exact = np.allclose(bn.moving_mean, true_mean, atol=1e-4)
    print(f"{case:32}  {before!s:9}  {after!s:14}  {exact}")
# --8<-- [end:controls]

# --8<-- [start:none]
for batch in [x, x[:0]]:
    layer = keras.layers.BatchNormalization()
    layer(batch, training=True)
    nans = np.isnan(layer.moving_mean), np.isnan(layer.moving_variance)
    print(f"{len(batch):3} rows: all statistics NaN: {np.all(nans)}")
# --8<-- [end:none]


# --8<-- [start:accumulate]
def normalized(norm, steps):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.Dense(16),
            norm(),
            keras.layers.Dense(1),
        ]
    )
    optimizer = keras.optimizers.SGD(0.01, gradient_accumulation_steps=steps)
    # Eagerly, which is quicker for a step or four.
    model.compile(optimizer=optimizer, loss="mse", run_eagerly=True)
    return model


x = random.normal(5, 3, size=(32, 4)).astype("float32")
y = x[:, :1]

model = normalized(keras.layers.BatchNormalization, steps=4)
for i, rows in enumerate(np.split(np.arange(32), 4)):
    before = model.get_weights()
    model.train_on_batch(x[rows], y[rows])
    moved = {
        array.name
        for array, start in zip(model.weights, before)
        if not np.array_equal(array, start)
    }
    print(
        f"batch {i + 1}  kernels moved: {'kernel' in moved!s:5}  "
        f"statistics moved: {'moving_mean' in moved}"
    )
# --8<-- [end:accumulate]


# --8<-- [start:compare]
def kernel_after_32_rows(norm, steps):
    model = normalized(norm, steps)
    for rows in np.split(np.arange(32), steps or 1):
        model.train_on_batch(x[rows], y[rows])
    return model.layers[0].kernel.numpy()


def frozen():
    return keras.layers.BatchNormalization(trainable=False)


for name, norm in {
    "BatchNormalization": keras.layers.BatchNormalization,
    "BatchNormalization, frozen": frozen,
    "GroupNormalization": groups_of_8,
    "LayerNormalization": keras.layers.LayerNormalization,
}.items():
    one = kernel_after_32_rows(norm, steps=None)
    four = kernel_after_32_rows(norm, steps=4)
    print(f"{name:27} same step: {np.allclose(one, four, atol=1e-5)}")
# --8<-- [end:compare]

# --8<-- [start:group_state]
for layer in [
    keras.layers.BatchNormalization(),
    keras.layers.GroupNormalization(groups=8),
    keras.layers.LayerNormalization(),
]:
    layer.build((None, 64))
    names = [array.name for array in layer.weights]
    print(f"{type(layer).__name__:18}", *names)
# --8<-- [end:group_state]

# --8<-- [start:group]
x = random.normal(5, 3, size=(4, 16)).astype("float32")
for settings in [{}, {"groups": 8}]:
    try:
        keras.layers.GroupNormalization(**settings)(x)
        print(settings, "runs")
    except ValueError as error:
        start = str(error).index("Number of groups")
        print(settings, str(error)[start:].partition(".")[0])
# --8<-- [end:group]
