# --8<-- [start:table]
import math

import keras
import numpy as np

keras.utils.set_random_seed(0)


def row(*shape):
    # 20,000 channels are as many experiments at once.
    x = np.random.normal(5, 3, size=(*shape, 20_000)).astype("float32")
    layer = keras.layers.BatchNormalization(momentum=0.0)
    layer(x, training=True)

    n = math.prod(shape)
    variance = np.mean(layer.moving_variance) / 3**2
    spread = np.std(layer.moving_mean) / 3
    share = (n - 1) / n
    print(f"{shape!s:9}  {n:3}  {variance:8.2f}  {share:9.2f}  {spread:18.2f}")


print("shape        N  variance  (N - 1)/N  spread of the mean")
for shape in [(1,), (2,), (5,), (10,), (100,), (2, 5, 5)]:
    row(*shape)
# --8<-- [end:table]

# --8<-- [start:plot]
import matplotlib.pyplot as plt
import tensorflow as tf

for rows, place in {1: 0.04, 2: 0.52, 5: 0.83, 100: 1.03}.items():
    layer = keras.layers.BatchNormalization(momentum=0.99)
    call = tf.function(layer)  # much faster for many steps
    shares = []
    for _ in range(500):
        x = np.random.normal(5, 3, size=(rows, 1)).astype("float32")
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

# --8<-- [start:one]
row = np.random.normal(5, 3, size=(1, 4)).astype("float32")
image = np.random.normal(5, 3, size=(1, 8, 8, 4)).astype("float32")
pooled = keras.layers.GlobalAveragePooling2D()(image)
for name, x in {"row": row, "image": image, "pooled image": pooled}.items():
    layer = keras.layers.BatchNormalization(beta_initializer="ones")
    outputs = layer(x, training=True).numpy()
    print(f"one {name:12}  all outputs are beta: {np.all(outputs == 1)}")
# --8<-- [end:one]

# --8<-- [start:one_trained]
model = keras.Sequential(
    [
        keras.Input(shape=(4,)),
        keras.layers.Dense(4),
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.Dense(1),
    ]
)
model.compile(optimizer="sgd", loss="mse")
before = model.layers[0].kernel.numpy()

x = np.random.normal(5, 3, size=(100, 4)).astype("float32")
model.fit(x, x[:, 0], batch_size=1, verbose=0)

moved = not np.array_equal(before, model.layers[0].kernel)
print("kernel below the layer moved:", moved)
variance = np.max(model.layers[1].moving_variance)
print("moving variance below 0.001:", variance < 0.001)
outputs = model.layers[1](model.layers[0](x), training=False)
print("outputs more than 10 times too wide:", np.std(outputs) > 10)
# --8<-- [end:one_trained]

# --8<-- [start:two]
pair = np.array([[2, 5.0, 3], [8, 5.5, -40]], dtype="float32")
outputs = keras.layers.BatchNormalization()(pair, training=True)
print(np.round(outputs, 1))
# --8<-- [end:two]


# --8<-- [start:left_over]
def build():
    model = keras.Sequential(
        [
            keras.Input(shape=(2,)),
            keras.layers.BatchNormalization(name="bn"),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(5, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(0.02),
        loss="sparse_categorical_crossentropy",
    )
    return model


def accuracy(model, x, y):
    return np.mean(np.argmax(model(x, training=False), axis=1) == y)


def report(model, x, y):
    share = np.mean(model.get_layer("bn").moving_variance / x.var(axis=0))
    good = accuracy(model, x, y) > 0.9
    print(f"variance {share:.1f} of the true one, accuracy above 0.9: {good}")


keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(65, 2)).astype("float32")
y = np.digitize(x[:, 0], [2, 4, 6, 8])  # which of five intervals
rows = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(65, seed=0)

model = build()
model.fit(rows.batch(64).repeat(300), shuffle=False, verbose=0)
report(model, x, y)
# --8<-- [end:left_over]

# --8<-- [start:drop]
dropped = build()
full = rows.batch(64, drop_remainder=True)
dropped.fit(full.repeat(400), shuffle=False, verbose=0)
report(dropped, x, y)
# --8<-- [end:drop]

# --8<-- [start:save]
model.save("left-over.keras")
np.savez("data.npz", x=x, y=y, predictions=model(x, training=False))
# --8<-- [end:save]

# --8<-- [start:reload]
import keras
import numpy as np

loaded = keras.saving.load_model("left-over.keras")
data = np.load("data.npz")
x, y = data["x"], data["y"]
np.testing.assert_array_equal(loaded(x, training=False), data["predictions"])
print("predictions equal")


def accuracy(model, x, y):
    return np.mean(np.argmax(model(x, training=False), axis=1) == y)


print("accuracy above 0.9:", accuracy(loaded, x, y) > 0.9)

layer = loaded.get_layer("bn")
momentum = layer.momentum
layer.momentum = 0.0
loaded(x, training=True)
layer.momentum = momentum
np.testing.assert_allclose(layer.moving_variance, x.var(axis=0), rtol=1e-4)
print("after one pass:    ", accuracy(loaded, x, y) > 0.9)
# --8<-- [end:reload]

# --8<-- [start:equal]
x = np.random.normal(5, 3, size=(1000, 2)).astype("float32")
y = np.digitize(x[:, 0], [2, 4, 6, 8])
model = build()
model.fit(x, y, batch_size=4, verbose=0)
report(model, x, y)

model.get_layer("bn").momentum = 0.0
model(x, training=True)
report(model, x, y)
# --8<-- [end:equal]

# --8<-- [start:none]
layer = keras.layers.BatchNormalization()
layer(x[:0], training=True)
print(layer.moving_mean.numpy(), layer.moving_variance.numpy())
# --8<-- [end:none]

# --8<-- [start:momentum]
print("momentum  start left after 20 steps  spread of the mean")
for momentum in [0.9, 0.99]:
    layer = keras.layers.BatchNormalization(momentum=momentum)
    call = tf.function(layer)
    for _ in range(400):
        x = np.random.normal(5, 3, size=(10, 1000)).astype("float32")
        call(x, training=True)
    spread = np.std(layer.moving_mean) / 3
    print(f"{momentum:<8}  {momentum**20:24.0%}  {spread:18.2f}")
# --8<-- [end:momentum]


# --8<-- [start:accumulate]
def normalized(norm, steps):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.Dense(8),
            norm(),
            keras.layers.Dense(1),
        ]
    )
    optimizer = keras.optimizers.SGD(0.01, gradient_accumulation_steps=steps)
    model.compile(optimizer=optimizer, loss="mse")
    return model


x = np.random.normal(5, 3, size=(32, 4)).astype("float32")
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


for name, norm in {
    "BatchNormalization": keras.layers.BatchNormalization,
    "GroupNormalization": lambda: keras.layers.GroupNormalization(groups=2),
}.items():
    one = kernel_after_32_rows(norm, steps=None)
    four = kernel_after_32_rows(norm, steps=4)
    print(f"{name}: same step: {np.allclose(one, four, atol=1e-5)}")
# --8<-- [end:compare]

# --8<-- [start:group]
from sklearn.datasets import load_digits

images, labels = load_digits(return_X_y=True)
images = (images / 16).astype("float32")


def digits(norm):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input(shape=(64,)),
            keras.layers.Dense(64),
            norm,
            keras.layers.ReLU(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(0.003),
        loss="sparse_categorical_crossentropy",
    )
    model.fit(images[:500], labels[:500], batch_size=1, verbose=0)
    good = accuracy(model, images[1000:], labels[1000:]) > 0.7
    print(f"{norm.name}: more than 0.7: {good}")
    return model


digits(keras.layers.BatchNormalization(name="BatchNormalization"))
grouped = digits(
    keras.layers.GroupNormalization(groups=8, name="GroupNormalization")
)
# --8<-- [end:group]

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

# --8<-- [start:group_proof]
together = grouped(images[:100], training=True)
alone = grouped(images[:1], training=False)
np.testing.assert_allclose(together[:1], alone, atol=1e-5)
print("a row alone is as in its batch, in both modes")

grouped.save("grouped.keras")
loaded = keras.saving.load_model("grouped.keras")
np.testing.assert_array_equal(
    loaded(images, training=False), grouped(images, training=False)
)
print("predictions equal after loading")
# --8<-- [end:group_proof]
