# --8<-- [start:tools]
import keras
import numpy as np
from bn_tools import batch_norms, estimate_again


@keras.saving.register_keras_serializable(package="fine_tune")
class InferenceMode(keras.layers.Wrapper):
    """Calls a base in inference mode, whatever mode its model is in."""

    def __init__(self, layer, **kwargs):
        # The base has dtype policies of its own, so nothing is cast for it.
        super().__init__(layer, autocast=False, **kwargs)
        self.mode = keras.layers.Dropout(0.0, autocast=False)

    def call(self, inputs, training=None):
        outputs = self.layer(inputs, training=False)
        # Drops nothing. Called with the mode of the model, it hands that on:
        # in a class, layers without an argument take the mode of the last call.
        return self.mode(outputs, training=training)


def shift(base, batches):
    """Return how far the moving statistics are from those of some images.

    Args:
        base: A model that has its arrays. It is left as it was.
        batches: As for ``estimate_again``: ``[images]``, or a dataset.

    Returns:
        A dict: for each BatchNormalization layer, by its path, the distance of
        the means in standard deviations and the ratio of the standard
        deviations, medians over the channels. A perfect fit is (0, 1).
    """
    layers = batch_norms(base)
    old = [
        (bn.moving_mean.numpy(), bn.moving_variance.numpy()) for bn in layers
    ]
    paths = estimate_again(base, batches, layers)
    found = {}
    for path, bn, (mean, variance) in zip(paths, layers, old, strict=True):
        deviation = np.sqrt(variance + bn.epsilon)
        distance = np.abs(bn.moving_mean.numpy() - mean) / deviation
        ratio = np.sqrt(bn.moving_variance.numpy() + bn.epsilon) / deviation
        if path in found:  # two towers may have layers of the same names
            path = f"{path}, layer {len(found)}"
        found[path] = float(np.median(distance)), float(np.median(ratio))
        bn.moving_mean.assign(mean)
        bn.moving_variance.assign(variance)
    return found


# --8<-- [end:tools]

# --8<-- [start:data]
from sklearn.datasets import load_digits

images, labels = load_digits(return_X_y=True)
images = images.reshape(-1, 8, 8, 1).astype("float32") / 16
x_old, y_old = images[:1200], labels[:1200]
x_test, y_test = images[1400:], labels[1400:]


def new_scanner(images):
    """Return the images as a brighter scanner with more contrast gives them."""
    return 5 + 2 * images


# The new task: is the digit odd? 200 images to learn from, 397 to judge by.
x_new, y_new = new_scanner(images[1200:1400]), labels[1200:1400] % 2
x_judge, y_judge = new_scanner(x_test), y_test % 2
# --8<-- [end:data]


# --8<-- [start:base]
def compile_with(model, rate, **settings):
    model.compile(
        optimizer=keras.optimizers.SGD(rate),
        loss="sparse_categorical_crossentropy",
        **settings,
    )


def accuracy(model, x, y):
    return np.mean(np.argmax(model(x, training=False), axis=1) == y)


def train_base(seed):
    """Return a base, and the model of the old task that it was trained in."""
    keras.utils.set_random_seed(seed)
    pixels = keras.Input(shape=(8, 8, 1))
    x = keras.layers.Conv2D(16, 3, use_bias=False, name="conv1")(pixels)
    x = keras.layers.BatchNormalization(name="bn1")(x)
    x = keras.layers.ReLU()(x)
    x = keras.layers.Conv2D(32, 3, use_bias=False, name="conv2")(x)
    x = keras.layers.BatchNormalization(name="bn2")(x)
    x = keras.layers.ReLU()(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    base = keras.Model(pixels, x, name="base")

    digits = keras.layers.Dense(10, activation="softmax")
    old = keras.Sequential([keras.Input(shape=(8, 8, 1)), base, digits])
    compile_with(old, 0.3)
    old.fit(x_old, y_old, epochs=10, batch_size=64, verbose=0)
    estimate_again(old, [x_old])  # 190 steps are too few for the statistics
    return base, old


base, old = train_base(seed=0)
old.save("old.keras")
print("ten digits, more than 0.8:", accuracy(old, x_test, y_test) > 0.8)
# --8<-- [end:base]

# --8<-- [start:look]
before = base.get_weights()
for name, batch in {"old": x_test, "new": x_new}.items():
    print(f"{name} scanner")
    for path, (distance, ratio) in shift(base, [batch]).items():
        fits = distance < 0.5 and 0.5 < ratio < 2
        print(f"    {path}: {'fits' if fits else 'does not fit'}")
kept = all(map(np.array_equal, before, base.get_weights()))
print("the base is left as it was:", kept)
# --8<-- [end:look]


# --8<-- [start:estimate]
def on_both_scanners():
    for name, batch in {"old": x_test, "new": x_judge}.items():
        good = accuracy(old, batch, y_test) > 0.75
        print(f"    ten digits, {name} scanner, more than 0.75: {good}")


print("before")
on_both_scanners()
estimate_again(base, [x_new], layers=batch_norms(base))
print("estimated again")
on_both_scanners()
# --8<-- [end:estimate]

# --8<-- [start:head]
inputs = keras.Input(shape=(8, 8, 1))
head = keras.layers.Dense(2, activation="softmax")
model = keras.Model(inputs, head(InferenceMode(base)(inputs)))

base.trainable = False
compile_with(model, 0.2)
start = base.get_weights()
model.fit(x_new, y_new, epochs=10, verbose=0)
# --8<-- [end:head]

# --8<-- [start:tune]
base.trainable = True
model.compile(
    optimizer=keras.optimizers.Adam(0.001),
    loss="sparse_categorical_crossentropy",
)
middle = base.get_weights()
model.fit(x_new, y_new, epochs=5, verbose=0)
# --8<-- [end:tune]

# --8<-- [start:prove]
print(f"{'':21} head   then the base")
for variable, *arrays in zip(base.weights, start, middle, base.get_weights()):
    steps = zip(arrays[:-1], arrays[1:])
    head_step, base_step = (
        "kept" if np.array_equal(*pair) else "moved" for pair in steps
    )
    print(f"{variable.path:21} {head_step:6} {base_step}")
# --8<-- [end:prove]

# --8<-- [start:judge]
from sklearn.linear_model import RidgeClassifier


def with_trained_head(layer, **arguments):
    """Return a model with a new head, trained on the features of the base."""
    features = layer(x_new, training=False)
    trained = RidgeClassifier().fit(features, y_new)
    inputs = keras.Input(shape=(8, 8, 1))
    head = keras.layers.Dense(2, activation="softmax")
    model = keras.Model(inputs, head(layer(inputs, **arguments)))
    kernel = trained.coef_.reshape(-1, 1)
    bias = np.ravel(trained.intercept_)
    head.set_weights([np.hstack([-kernel, kernel]), np.hstack([-bias, bias])])
    return model


def judge(row, model, old):
    new_task = accuracy(model, x_judge, y_judge)
    old_task = accuracy(old, x_test, y_test)
    scores.setdefault(row, []).append((new_task > 0.93, old_task > 0.75))


scores = {}
for old_s in [keras.saving.load_model("old.keras"), train_base(seed=1)[1]]:
    base_s = old_s.get_layer("base")
    model_s = with_trained_head(base_s, training=False)
    judge("head", model_s, old_s)

    arrays = base_s.get_weights()
    compile_with(model_s, 1e-5)
    model_s.fit(x_new, y_new, epochs=5, verbose=0)
    judge("head, then base(x, training=False)", model_s, old_s)

    base_s.set_weights(arrays)
    estimate_again(base_s, [x_new], batch_norms(base_s))
    model_s = with_trained_head(InferenceMode(base_s))
    judge("statistics estimated, head", model_s, old_s)

print(f"{'':34}  new task    old task")
print(f"{'':34}  above 0.93  above 0.75")
for row, pairs in scores.items():
    new_task, old_task = (sum(column) for column in zip(*pairs))
    print(f"{row:34}  {new_task} of 2      {old_task} of 2")
# --8<-- [end:judge]

# --8<-- [start:save]
from bn_tools import write_record

model.save("tuned.keras")
write_record("tuned.npz", model, x_new)

# The same layers without the wrapper: for a file that needs no class.
plain = keras.Model(inputs, head(base(inputs)))
plain.save("plain.keras")
np.savez("plain.npz", x=x_new, outputs=model(x_new, training=False))
# --8<-- [end:save]

# --8<-- [start:reload]
from bn_tools import compare

loaded = keras.saving.load_model("tuned.keras")
print("different after loading:", compare("tuned.npz", loaded, atol=0))

record = np.load("tuned.npz")
layers = batch_norms(loaded)
statistics = [layer.moving_mean.numpy() for layer in layers]
betas = [layer.beta.numpy() for layer in layers]
loaded.fit(record["x_0"], np.arange(200) % 2, verbose=0)
kept = [np.array_equal(bn.moving_mean, m) for bn, m in zip(layers, statistics)]
print("fit kept the statistics:", kept)
print(
    "fit kept beta:",
    [np.array_equal(bn.beta, b) for bn, b in zip(layers, betas)],
)
# --8<-- [end:reload]

# --8<-- [start:without_class]
import keras
import numpy as np

try:
    keras.saving.load_model("tuned.keras")
except TypeError as error:
    print("TypeError: ...", str(error).partition("encountered: ")[2][:38])

loaded = keras.saving.load_model("plain.keras")
expected = np.load("plain.npz")
outputs = loaded.predict(expected["x"], verbose=0)
print(
    "predictions equal:", np.allclose(outputs, expected["outputs"], atol=1e-5)
)
# --8<-- [end:without_class]


# --8<-- [start:switches]
x = np.random.default_rng(0).normal(5, 3, (100, 4)).astype("float32")
y = np.zeros((100, 1))


def small_base():
    inputs = keras.Input(shape=(4,))
    h = keras.layers.Dense(4, name="dense")(inputs)
    h = keras.layers.BatchNormalization(name="bn")(h)
    return keras.Model(inputs, keras.layers.Dropout(0.5)(h), name="base")


def called(layer, **arguments):
    inputs = keras.Input(shape=(4,))
    outputs = keras.layers.Dense(1)(layer(inputs, **arguments))
    return keras.Model(inputs, outputs)


def usual(base):
    return called(base)


def base_frozen(base):
    base.trainable = False
    return called(base)


def norms_frozen(base):
    for layer in batch_norms(base):
        layer.trainable = False
    return called(base)


def argument(base):
    return called(base, training=False)


def wrapped(base):
    return called(InferenceMode(base))


def wrapped_frozen(base):
    base.trainable = False
    return called(InferenceMode(base))


print(f"{'':32} kernel  gamma, beta  statistics  Dropout")
for name, build in {
    "base(x)": usual,
    "base.trainable = False": base_frozen,
    "each BatchNormalization frozen": norms_frozen,
    "base(x, training=False)": argument,
    "InferenceMode(base)": wrapped,
    "InferenceMode(base), base frozen": wrapped_frozen,
}.items():
    keras.utils.set_random_seed(0)
    small = small_base()
    switched = build(small)
    switched.compile(optimizer="sgd", loss="mse", run_eagerly=True)
    before = {v.name: v.numpy() for v in small.variables}
    switched.fit(x, y, batch_size=100, verbose=0)
    moved = {
        v.name: "kept" if np.array_equal(before[v.name], v) else "moved"
        for v in small.variables
    }
    assert moved["gamma"] == moved["beta"]
    assert moved["moving_mean"] == moved["moving_variance"]
    first, second = (switched(x, training=True) for _ in range(2))
    dropout = "off" if np.allclose(first, second, atol=1e-5) else "on"
    print(
        f"{name:32} {moved['kernel']:7} {moved['gamma']:12} "
        f"{moved['moving_mean']:11} {dropout}"
    )
# --8<-- [end:switches]


# --8<-- [start:in_a_class]
class Classifier(keras.Model):
    def __init__(self, base, **arguments):
        super().__init__()
        self.base, self.arguments = base, arguments
        self.dropout = keras.layers.Dropout(0.5)

    def call(self, x, training=False):
        return self.dropout(self.base(x, **self.arguments))


bn = keras.layers.BatchNormalization()
small = keras.Sequential([keras.Input(shape=(4,)), bn])
for name, switched in {
    "self.base(x)": Classifier(small),
    "self.base(x, training=False)": Classifier(small, training=False),
    "InferenceMode(base)": Classifier(InferenceMode(small)),
}.items():
    before = bn.moving_mean.numpy()
    first, second = (switched(x, training=True) for _ in range(2))
    kept = np.array_equal(before, bn.moving_mean)
    on = not np.allclose(first, second, atol=0.1)
    print(f"{name:29} kept: {kept!s:6} Dropout of the head on: {on}")
# --8<-- [end:in_a_class]


# --8<-- [start:dropout]
def calls_equal(layer):
    images = np.random.default_rng(0).normal(size=(2, 32, 32, 3))
    first, second = (layer(images, training=True) for _ in range(2))
    return np.array_equal(first, second)


print(f"{'base, frozen':15} Dropout layers  base  InferenceMode(base)")
for build in [
    keras.applications.MobileNet,
    keras.applications.EfficientNetB0,
]:
    big = build(
        input_shape=(32, 32, 3), include_top=False, weights=None, pooling="avg"
    )
    big.trainable = False
    dropouts = sum(isinstance(e, keras.layers.Dropout) for e in big.layers)
    same = [calls_equal(layer) for layer in [big, InferenceMode(big)]]
    print(f"{build.__name__:15} {dropouts:<14}  {same[0]!s:5} {same[1]}")
# --8<-- [end:dropout]


# --8<-- [start:when]
import tensorflow as tf


def norm_and_model():
    keras.utils.set_random_seed(0)
    inputs = keras.Input(shape=(4,))
    bn = keras.layers.BatchNormalization()
    net = keras.Model(inputs, keras.layers.Dense(1)(bn(inputs)))
    net.compile(optimizer="sgd", loss="mse")
    return bn, net


def fit(rows):
    net.fit(x[:rows], y[:rows], batch_size=rows, verbose=0)


def when(what, run):
    before = bn.moving_mean.numpy()
    run()
    kept = np.array_equal(before, bn.moving_mean)
    print(f"{what:33} {'kept' if kept else 'moved'}")


bn, net = norm_and_model()
bn.trainable = False
when("frozen before the first fit", lambda: fit(100))

bn, net = norm_and_model()
fit(100)
bn.trainable = False
when("frozen after it", lambda: fit(100))
when("    with batches of another size", lambda: fit(90))
net.compile(optimizer="sgd", loss="mse")
when("    compiled again", lambda: fit(100))

bn, net = norm_and_model()
step = tf.function(net)
step(x, training=True)
bn.trainable = False
when("frozen after a tf.function ran", lambda: step(x, training=True))
when("    a new tf.function", lambda: tf.function(net)(x, training=True))
when("    called directly", lambda: net(x, training=True))
# --8<-- [end:when]


# --8<-- [start:formats]
def functional():
    return called(small_base())


def sequential():
    return keras.Sequential(
        [keras.Input(shape=(4,)), small_base(), keras.layers.Dense(1)]
    )


def through_files(build):
    """Yield the name of each file, and a model that was loaded from it."""
    frozen = build()
    frozen.trainable = False
    yield "before", frozen
    frozen.save("frozen.keras")
    yield ".keras", keras.saving.load_model("frozen.keras")
    frozen.save("frozen.h5")
    yield ".h5", keras.saving.load_model("frozen.h5", compile=False)
    yield "to_json", keras.models.model_from_json(frozen.to_json())

    frozen.save_weights("frozen.weights.h5")
    rebuilt = build()
    rebuilt.load_weights("frozen.weights.h5")
    yield ".weights.h5", rebuilt
    path = tf.train.Checkpoint(model=frozen).write("frozen-checkpoint")
    rebuilt = build()
    tf.train.Checkpoint(model=rebuilt).read(path).assert_consumed()
    yield "Checkpoint", rebuilt
    rebuilt = build()
    rebuilt.set_weights(frozen.get_weights())
    yield "get_weights", rebuilt


print("             functional         Sequential")
print("             model   its layer  model   its layer")
for pair in zip(through_files(functional), through_files(sequential)):
    flags = [
        word
        for _, net in pair
        for word in (
            f"{net.trainable!s:7}",
            f"{batch_norms(net)[0].trainable!s:10}",
        )
    ]
    print(f"{pair[0][0]:12}", *flags[:-1], flags[-1].rstrip())
# --8<-- [end:formats]

# --8<-- [start:loop]
base = keras.saving.load_model("old.keras").get_layer("base")
inputs = keras.Input(shape=(8, 8, 1))
outputs = keras.layers.Dense(2, activation="softmax")(base(inputs))
model = keras.Model(inputs, outputs)


def in_model_layers(model):
    kind = keras.layers.BatchNormalization
    return [layer for layer in model.layers if isinstance(layer, kind)]


def freeze(layers):
    for layer in layers:
        layer.trainable = False
    return len(layers)


def report(when, found):
    frozen = sum(not layer.trainable for layer in batch_norms(base))
    print(f"{when:32} found {found}, frozen at the end {frozen}")


found = freeze(in_model_layers(model))
report("a loop over model.layers", found)

base.trainable = False  # to train the head
found = freeze(batch_norms(base))
base.trainable = True
report("batch_norms, then base unfrozen", found)

found = freeze(batch_norms(base))
report("base unfrozen, then batch_norms", found)
# --8<-- [end:loop]


# --8<-- [start:no_op]
def unfrozen_after(model, *values):
    for value in values:
        model.trainable = value
    return sum(layer.trainable for layer in batch_norms(model))


def print_row(name, model, value):
    once = unfrozen_after(model, value)
    twice = unfrozen_after(model, not value, value)
    print(f"{name:27} {once:8}  {twice:20}")


print("unfrozen after               = value  = not value, = value")
for build in [functional, sequential]:
    frozen = build()
    frozen.trainable = False
    frozen.save("frozen.keras")
    loaded = keras.saving.load_model("frozen.keras")
    print_row(f"{build.__name__}, loaded, True", loaded, True)

base.trainable = True
base.trainable = False
base.get_layer("bn2").trainable = True
print_row("base opened in part, False", base, False)
# --8<-- [end:no_op]


# --8<-- [start:resume]
compile_with(model, 0.05)  # the base is frozen
model.fit(x_new, y_new, epochs=2, verbose=0)
model.save_weights("resume.weights.h5")
outputs = model(x_new, training=False)

for trainable in [True, False]:
    base.trainable = trainable
    model.load_weights("resume.weights.h5")
    np.testing.assert_array_equal(model(x_new, training=False), outputs)
    step = model(x_new, training=True)
    same = np.allclose(step, outputs, atol=0.01)
    print(f"base.trainable = {trainable}: a step computes the same: {same}")
# --8<-- [end:resume]

# --8<-- [start:grad_cam]
try:
    model.get_layer("conv2")
except ValueError as error:
    print("ValueError:", str(error).partition(".")[0])

base = keras.saving.load_model("old.keras").get_layer("base")
head = keras.layers.Dense(2, activation="softmax")
flat = keras.Model(base.input, head(base.output))
conv2 = flat.get_layer("conv2")
both = keras.Model(flat.input, [conv2.output, flat.output])
with tf.GradientTape() as tape:
    maps, scores_of_one = both(x_new[:1], training=False)
    score = scores_of_one[:, 1]
print("gradient of the maps:", tape.gradient(score, maps).shape)
same = np.allclose(scores_of_one, flat.predict(x_new[:1], verbose=0), atol=1e-5)
print("scores as predict has them:", same)
# --8<-- [end:grad_cam]
