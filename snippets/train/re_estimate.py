# --8<-- [start:train]
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
noise = np.random.normal(size=(2000, 5))
x = (5 + 0.1 * noise).astype("float32")
y = np.argmax(noise, axis=1)


def build():
    return keras.Sequential(
        [
            keras.Input(shape=(5,)),
            keras.layers.BatchNormalization(name="bn1"),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.BatchNormalization(name="bn2"),
            keras.layers.Dense(5, activation="softmax"),
        ]
    )


def fit(model, x, y, optimizer, epochs=8, **options):
    model.compile(
        optimizer=optimizer,
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    history = model.fit(
        x, y, batch_size=100, epochs=epochs, verbose=0, **options
    )
    return history.history["accuracy"][-1]


def accuracy(model, x, y):
    return np.mean(np.argmax(model(x, training=False), axis=1) == y)


model = build()
reported = fit(model, x, y, keras.optimizers.Adam(0.01), epochs=4)
model.save("stale.keras")
# --8<-- [end:train]

# --8<-- [start:repair]
from bn_tools import batch_norms, estimate_again

dataset = tf.data.Dataset.from_tensor_slices((x, y))

before = accuracy(model, x, y)
changed = estimate_again(model, dataset.batch(500))
print("fit reported more than 0.8:       ", reported > 0.8)
print("inference mode before, above 0.5: ", before > 0.5)
print("inference mode after, above 0.9:  ", accuracy(model, x, y) > 0.9)
print("changed:", *changed)
# --8<-- [end:repair]

# --8<-- [start:exact]
stale = keras.saving.load_model("stale.keras")
for net, when in {stale: "before", model: "after "}.items():
    bn1, dense, bn2, _ = net.layers
    received = {bn1: x, bn2: dense(bn1(x, training=False)).numpy()}
    for layer, values in received.items():
        right = np.allclose(
            layer.moving_mean, values.mean(axis=0), rtol=0.02, atol=0.02
        ) and np.allclose(
            layer.moving_variance, values.var(axis=0), rtol=0.1, atol=1e-4
        )
        print(when, layer.name, "has mean and variance of its inputs:", right)

arrays = [net.variables + net.optimizer.variables for net in [stale, model]]
differ = [
    "/".join(new.path.split("/")[-2:])
    for old, new in zip(*arrays, strict=True)
    if not np.array_equal(old, new)
]
print(f"of {len(arrays[0])} arrays changed:", *differ, sep="\n  ")
# --8<-- [end:exact]

# --8<-- [start:save]
from bn_tools import write_record

model.save("repaired.keras")
write_record("repaired.npz", model, x[:32])
# --8<-- [end:save]

# --8<-- [start:reload]
import keras
from bn_tools import compare

for file in ["repaired.keras", "stale.keras"]:
    print(file, compare("repaired.npz", keras.saving.load_model(file))[:1])
# --8<-- [end:reload]


# --8<-- [start:limits]
class WithoutTraining(keras.Model):
    def __init__(self):
        super().__init__()
        self.net = build()

    def call(self, x):
        return self.net(x)


class WithTraining(WithoutTraining):
    def call(self, x, training=False):
        return self.net(x, training=training)


level = np.repeat([5.0, -5.0, 8.0, 0.0], 500)[:, None]  # of four cameras
by_camera = (level + noise).astype("float32")
above = (noise[:, 0] > 0).astype(int)  # above the level of the camera
wide = (10 + 3 * noise).astype("float32")


def line(case, *scores):
    print(f"{case:31}", *(f"{score > 0.7!s:6}" for score in scores))


print(f"{'above 0.7 in':31} fit    before after")
line("trained for 80 steps", reported, before, accuracy(model, x, y))
for case, kind, inputs, labels, options in [
    ("each batch from one camera", build, by_camera, above, {"shuffle": False}),
    ("  the same data, shuffled", build, by_camera, above, {}),
    ("class without training argument", WithoutTraining, wide, y, {}),
    ("  with it", WithTraining, wide, y, {}),
]:
    keras.utils.set_random_seed(0)
    net = kind()
    scores = [fit(net, inputs, labels, keras.optimizers.SGD(0.01), **options)]
    scores.append(accuracy(net, inputs, labels))
    estimate_again(net, [inputs], batch_norms(net))
    scores.append(accuracy(net, inputs, labels))
    line(case, *scores)
# --8<-- [end:limits]

# --8<-- [start:sizes]
from bn_tools import batch_norms

keras.utils.set_random_seed(0)
deep = keras.Sequential([keras.Input(shape=(5,))])
for i in range(3):
    deep.add(keras.layers.BatchNormalization(name=f"bn{i + 1}"))
    deep.add(keras.layers.Dense(64, activation="relu"))
rows = x[:120]
in_order = rows[np.argsort(rows[:, 0])]


def variances(rows, size):
    estimate_again(deep, np.split(rows, len(rows) // size))
    return [np.mean(layer.moving_variance) for layer in batch_norms(deep)]


whole = variances(rows, 120)
print("rows per batch  bn1   bn2   bn3   within the batches")
for name, given, size in [
    ("120", rows, 120),
    ("10", rows, 10),
    ("4", rows, 4),
    ("2", rows, 2),
    ("10, in order", in_order, 10),
]:
    shares = np.divide(variances(given, size), whole)
    within = np.mean(given.reshape(-1, size, 5).var(axis=1))
    shares = [*shares, within / np.mean(rows.var(axis=0))]
    print(f"{name:15}", "  ".join(f"{share:.2f}" for share in shares))
# --8<-- [end:sizes]

# --8<-- [start:frozen]
base = keras.Sequential(
    [keras.Input(shape=(5,)), keras.layers.BatchNormalization(name="base_bn")]
)
estimate_again(base, [x - 0.1])  # stands for the pretraining
base.trainable = False
head = [keras.layers.BatchNormalization(name="head_bn"), keras.layers.Dense(5)]
tuned = keras.Sequential([keras.Input(shape=(5,)), base, *head])
pretrained = base.get_weights()


class InferenceMode(keras.layers.Layer):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def call(self, x):
        return self.net(x, training=False)


wrapped = InferenceMode(base)
unfrozen = keras.Sequential([keras.Input(shape=(5,)), wrapped, *head])
for case, frozen, net, layers in [
    ("frozen", True, tuned, None),
    ("inference mode", False, unfrozen, None),
    ("named", True, tuned, batch_norms(tuned)),
]:
    base.trainable = not frozen
    names = [p.split("/")[-1] for p in estimate_again(net, [x], layers)]
    kept = all(map(np.array_equal, base.get_weights(), pretrained))
    print(f"{case:14} estimated: {' '.join(names):16} base kept: {kept}")
print("still frozen:", not base.trainable_variables)
try:
    estimate_again(base, [x])
except ValueError as error:
    print(str(error).split(".")[0])
# --8<-- [end:frozen]

# --8<-- [start:trainable_only]
np.savez("trainable.npz", *model.trainable_variables)

fresh = build()
file = np.load("trainable.npz")
for i, variable in enumerate(fresh.trainable_variables):
    variable.assign(file[f"arr_{i}"])
print("as loaded, above 0.4:      ", accuracy(fresh, x, y) > 0.4)
estimate_again(fresh, dataset.batch(500))
print("estimated again, above 0.9:", accuracy(fresh, x, y) > 0.9)
# --8<-- [end:trainable_only]

# --8<-- [start:other_data]
test_noise = np.random.normal(size=(1000, 5))
y_test = np.argmax(test_noise, axis=1)
shift = np.array([0.3, 0, -0.3, 0.15, -0.15])  # of another camera, say
x_test = (5 + 0.1 * test_noise + shift).astype("float32")

print("estimated on       training data  shifted test data")
for name, given in {
    "x": x,
    "x - 5": x - 5,
    "x / 5": x / 5,
    "the test data": x_test,
}.items():
    net = keras.saving.load_model("stale.keras")
    estimate_again(net, [given])
    good = accuracy(net, x, y) > 0.9, accuracy(net, x_test, y_test) > 0.6
    print(f"{name:18} {good[0]!s:14} {good[1]}")
# --8<-- [end:other_data]


# --8<-- [start:by_hand]
def momentum_0(model, batches):
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    for batch in batches:
        model(batch, training=True)


def noisy():
    return keras.Sequential(
        [
            keras.Input(shape=(5,)),
            keras.layers.SpectralNormalization(keras.layers.Dense(5)),
            keras.layers.Dropout(0.5),  # or noise, or augmentation
            keras.layers.BatchNormalization(name="bn"),
        ]
    )


def facts(estimate):
    def width():
        return np.mean(np.std(net(wide, training=False), axis=0))

    net = noisy()
    layer, kernel = net.get_layer("bn"), net.weights[0].numpy()
    estimate(net, [wide])
    yield "outputs as wide as they are to be", abs(width() - 1) < 0.1
    yield "trainable arrays kept", np.array_equal(net.weights[0], kernel)
    yield "momentum kept", layer.momentum == 0.99
    estimate(net, [wide, -wide])
    yield "all batches count", np.allclose(layer.moving_mean, 0, atol=0.1)
    layer.moving_mean.assign(np.full(5, np.nan))
    estimate(net, [wide])
    yield "NaN replaced", np.all(np.isfinite(layer.moving_mean))
    net = keras.Sequential([keras.Input(shape=(5,)), noisy()])
    net.layers[0].layers[1].rate = 0.0
    estimate(net, [wide])
    yield "layers of a model inside found", abs(width() - 1) < 0.1


print(f"{'':34} momentum 0  estimate_again")
for (fact, one), (_, other) in zip(facts(momentum_0), facts(estimate_again)):
    print(f"{fact:34} {one!s:11} {other}")
# --8<-- [end:by_hand]

# --8<-- [start:learning_rate]
slow = keras.saving.load_model("stale.keras")
slow.optimizer.learning_rate = 0.0


def show(case, net):
    # The first two are the step count and the learning rate.
    moments = [each.optimizer.variables[2:] for each in [net, stale]]
    kept = all(map(np.array_equal, *moments))
    weights = [each.trainable_variables for each in [net, stale]]
    same = all(map(np.array_equal, *weights))
    print(f"{case:31} {accuracy(net, x, y) > 0.9!s:10} {same!s:13} {kept}")


print("fit with a learning rate of 0   above 0.9  weights kept  moments kept")
for case, epochs in {"20 steps": 1, "500 steps": 24}.items():
    slow.fit(x, y, batch_size=100, epochs=epochs, verbose=0)
    show(case, slow)
show("estimate_again", model)
# --8<-- [end:learning_rate]
