# --8<-- [start:data]
import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)
images, labels = load_digits(return_X_y=True)
images = images.reshape(-1, 8, 8, 1).astype("float32") / 16
x_old, y_old = images[:1300], labels[:1300]
x_test, y_test = images[1300:], labels[1300:]

# Another scanner, and another question: is the digit odd?
x_new, y_new = 2 + 3 * images[:200], labels[:200] % 2
# --8<-- [end:data]


# --8<-- [start:base]
def compile_with(model, rate):
    model.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss="sparse_categorical_crossentropy",
    )


def accuracy(model, x, y):
    return np.mean(np.argmax(model(x, training=False), axis=1) == y)


pixels = keras.Input(shape=(8, 8, 1))
x = keras.layers.Conv2D(16, 3, use_bias=False, name="conv1")(pixels)
x = keras.layers.BatchNormalization(name="bn1")(x)
x = keras.layers.ReLU()(x)
x = keras.layers.Conv2D(32, 3, use_bias=False, name="conv2")(x)
x = keras.layers.BatchNormalization(name="bn2")(x)
x = keras.layers.ReLU()(x)
x = keras.layers.GlobalAveragePooling2D()(x)
base = keras.Model(pixels, x, name="base")

head = keras.layers.Dense(10, activation="softmax")
old = keras.Sequential([keras.Input(shape=(8, 8, 1)), base, head])

compile_with(old, 0.01)
old.fit(x_old, y_old, epochs=10, verbose=0)
old.save("old.keras")
print("ten digits, more than 0.8:", accuracy(old, x_test, y_test) > 0.8)
# --8<-- [end:base]


# --8<-- [start:head]
def with_new_head(base, **arguments):
    inputs = keras.Input(shape=(8, 8, 1))
    head = keras.layers.Dense(2, activation="softmax")
    return keras.Model(inputs, head(base(inputs, **arguments)))


base.trainable = False
model = with_new_head(base)
compile_with(model, 0.05)

before = base.get_weights()
model.fit(x_new, y_new, epochs=20, verbose=0)
for array, kept in zip(base.get_weights(), before, strict=True):
    np.testing.assert_array_equal(array, kept)
print(len(before), "arrays of the base kept")
# --8<-- [end:head]


# --8<-- [start:tune]
def batch_norms(model):
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from batch_norms(layer)
        elif isinstance(layer, keras.layers.BatchNormalization):
            yield layer


base.trainable = True
for layer in batch_norms(model):
    layer.trainable = False
compile_with(model, 1e-5)

model.fit(x_new, y_new, epochs=5, verbose=0)
# --8<-- [end:tune]


# --8<-- [start:prove]
def report(base, before):
    arrays = [
        (layer, array) for layer in base.layers for array in layer.weights
    ]
    for (layer, array), start in zip(arrays, before, strict=True):
        distance = np.max(np.abs(array.numpy() - start))
        size = "less than 0.001" if distance < 0.001 else "more than 0.01"
        moved = f"moved by {size}" if distance else "kept"
        print(f"{layer.name:5} {array.name:15} {moved}")


report(base, before)
print("ten digits, more than 0.8:", accuracy(old, x_test, y_test) > 0.8)
# --8<-- [end:prove]


# --8<-- [start:save]
model.save("tuned.keras")

predictions = model.predict(x_new, verbose=0)
np.savez(
    "expected.npz",
    *model.get_weights(),
    x=x_new,
    y=y_new,
    predictions=predictions,
)
# --8<-- [end:save]


# --8<-- [start:reload]
import keras
import numpy as np

loaded = keras.saving.load_model("tuned.keras")
expected = np.load("expected.npz")

for i, array in enumerate(loaded.get_weights()):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
np.testing.assert_array_equal(
    loaded.predict(expected["x"], verbose=0), expected["predictions"]
)
print("arrays and predictions equal")

base = loaded.get_layer("base")
norms = [base.get_layer("bn1"), base.get_layer("bn2")]
print("trainable:", [layer.trainable for layer in norms])

before = [layer.get_weights() for layer in norms]
kernel = base.get_layer("conv1").kernel.numpy()
loaded.fit(expected["x"], expected["y"], verbose=0)
for layer, arrays in zip(norms, before):
    for array, kept in zip(layer.get_weights(), arrays, strict=True):
        np.testing.assert_array_equal(array, kept)
moved = not np.array_equal(kernel, base.get_layer("conv1").kernel)
print("fit kept both layers, and moved the kernel:", moved)
# --8<-- [end:reload]


# --8<-- [start:guide]
old = keras.saving.load_model("old.keras")
base = old.get_layer("base")
model = with_new_head(base, training=False)
compile_with(model, 1e-5)

before = base.get_weights()
model.fit(x_new, y_new, epochs=5, verbose=0)

print("Keras", keras.__version__)
print("steps:", int(model.optimizer.iterations))
report(base, before)
print("ten digits, less than 0.5:", accuracy(old, x_test, y_test) < 0.5)
# --8<-- [end:guide]


# --8<-- [start:adapt]
adapted = keras.saving.load_model("old.keras")


def on_both_scanners():
    for name, x in {"old": x_test, "new": 2 + 3 * x_test}.items():
        good = accuracy(adapted, x, y_test) > 0.8
        print(f"{name} scanner, more than 0.8: {good}")


on_both_scanners()

layers = list(batch_norms(adapted))
momenta = [layer.momentum for layer in layers]
for layer in layers:
    layer.momentum = 0.0
adapted(x_new, training=True)
for layer, momentum in zip(layers, momenta):
    layer.momentum = momentum

on_both_scanners()
# --8<-- [end:adapt]


# --8<-- [start:switches]
x = np.random.normal(5, 3, size=(100, 4)).astype("float32")
y = -np.ones((100, 4))


def functional(trainable=True, **arguments):
    inputs = keras.Input(shape=(4,))
    # The same numbers come out, and a frozen layer leaves something to train.
    same = keras.layers.Dense(4, kernel_initializer="identity")(inputs)
    bn = keras.layers.BatchNormalization(trainable=trainable)
    return keras.Model(inputs, bn(same, **arguments))


class InCall(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(4, kernel_initializer="identity")
        self.bn = keras.layers.BatchNormalization()

    def call(self, x, training=False):
        return self.bn(self.dense(x), training=False)


def fit(model):
    return model.fit(x, y, batch_size=100, verbose=0).history["loss"][0]


def call(model):
    return np.mean((model(x, training=True) - y) ** 2)


print(f"{'':36} uses   gamma, beta  moving statistics")
for what, run in {"fit": fit, "training=True": call}.items():
    for how, model in {
        "as it is": functional(),
        "trainable=False": functional(trainable=False),
        "bn(x, training=False)": functional(training=False),
        "the same, in a class": InCall(),
    }.items():
        model(x[:1])
        model.compile(optimizer="sgd", loss="mse")
        before = model.layers[-1].get_weights()
        used = "batch " if run(model) < 10 else "moving"
        gamma, beta, mean, variance = (
            "kept" if np.array_equal(*pair) else "moved"
            for pair in zip(before, model.layers[-1].get_weights())
        )
        assert gamma == beta and mean == variance
        print(f"{what + ', ' + how:36} {used} {gamma:12} {mean}")
# --8<-- [end:switches]


# --8<-- [start:when]
def compiled(model):
    model.compile(optimizer="sgd", loss="mse")
    return model


def when(what, model, run):
    before = model.layers[-1].get_weights()
    run(model)
    kept = np.array_equal(before, model.layers[-1].get_weights())
    print(f"{what:27} {'kept' if kept else 'moved'}")


early = compiled(functional())
early.layers[-1].trainable = False
when("set before the first fit", early, fit)

late = compiled(functional())
fit(late)
late.layers[-1].trainable = False
when("set after it", late, fit)
when("the same, compiled again", compiled(late), fit)

looped = functional()
step = tf.function(looped)
step(x, training=True)
looped.layers[-1].trainable = False
when("set after tf.function ran", looped, lambda model: step(x, training=True))
when("the same, called directly", looped, call)
when(
    "the same, a new tf.function",
    looped,
    lambda m: tf.function(m)(x, training=True),
)
# --8<-- [end:when]


# --8<-- [start:gan]
import warnings


def combine(critic):
    critic.trainable = False
    generator = keras.layers.Dense(4)
    return compiled(
        keras.Sequential([keras.Input(shape=(4,)), generator, critic])
    )


critic = compiled(functional())
combined = combine(critic)
with warnings.catch_warnings(record=True, action="always") as caught:
    when("the critic by itself", critic, fit)
print("UserWarning:", caught[0].message)
# --8<-- [end:gan]

# --8<-- [start:gan_right]
critic = compiled(functional())
fit(critic)
combined = combine(critic)
when("the critic by itself", critic, fit)
when("the combined model", critic, lambda critic: fit(combined))
# --8<-- [end:gan_right]


# --8<-- [start:formats]
def build():
    base = keras.applications.MobileNet(
        input_shape=(32, 32, 3), alpha=0.25, include_top=False, weights=None
    )
    pool = keras.layers.GlobalAveragePooling2D()
    return keras.Sequential([base, pool, keras.layers.Dense(2)])


def flags(what, model):
    norms = list(batch_norms(model))
    frozen = sum(not layer.trainable for layer in norms)
    print(f"{what:12}  {model.trainable!s:15}  {frozen:2} of {len(norms)}")


frozen = build()
frozen.trainable = False

print("              model.trainable  frozen layers")
flags("before", frozen)

frozen.save("frozen.keras")
flags(".keras", keras.saving.load_model("frozen.keras"))
frozen.save("frozen.h5")
flags(".h5", keras.saving.load_model("frozen.h5", compile=False))
flags("to_json", keras.models.model_from_json(frozen.to_json()))

rebuilt = build()
frozen.save_weights("frozen.weights.h5")
rebuilt.load_weights("frozen.weights.h5")
flags(".weights.h5", rebuilt)

path = tf.train.Checkpoint(model=frozen).write("frozen-checkpoint")
tf.train.Checkpoint(model=rebuilt).read(path).assert_consumed()
flags("Checkpoint", rebuilt)

np.savez("frozen.npz", *frozen.get_weights())
with np.load("frozen.npz") as arrays:
    rebuilt.set_weights([arrays[name] for name in arrays.files])
flags("npz", rebuilt)
# --8<-- [end:formats]


# --8<-- [start:applications]
def moved(what, base, **arguments):
    inputs = keras.Input(shape=(32, 32, 3))
    model = keras.Model(inputs, base(inputs, **arguments))
    norms = list(batch_norms(model))
    before = [layer.moving_mean.numpy() for layer in norms]
    model(np.random.normal(5, 3, size=(8, 32, 32, 3)), training=True)
    count = sum(
        not np.array_equal(layer.moving_mean, start)
        for layer, start in zip(norms, before)
    )
    print(f"{what:34} moved: {count:2} of {len(norms)}")


mobile_net = rebuilt.layers[0]
mobile_net.trainable = False
moved("frozen", mobile_net)

mobile_net.trainable = True
moved("unfrozen, base(x, training=False)", mobile_net, training=False)

for layer in batch_norms(mobile_net):
    layer.trainable = False
moved("unfrozen, its norms frozen", mobile_net)
# --8<-- [end:applications]


# --8<-- [start:loop]
def frozen_norms(model):
    return sum(not layer.trainable for layer in batch_norms(model))


base = keras.saving.load_model("old.keras").get_layer("base")
base.trainable = False
model = with_new_head(base)

for layer in model.layers:
    if isinstance(layer, keras.layers.BatchNormalization):
        print("found in model.layers:", layer.name)
for layer in batch_norms(model):
    print("found in the base:", layer.name)
    layer.trainable = False
base.trainable = True
print("frozen at the end:", frozen_norms(model))
# --8<-- [end:loop]


# --8<-- [start:loop_right]
for layer in batch_norms(model):
    layer.trainable = False
print("frozen at the end:", frozen_norms(model))
# --8<-- [end:loop_right]


# --8<-- [start:no_op]
loaded = keras.saving.load_model("frozen.keras")
loaded.trainable = True
print("trainable arrays:", len(loaded.trainable_variables))

base.trainable = False
base.get_layer("bn2").trainable = True
base.trainable = False
print("frozen:", frozen_norms(base))

before = base.get_layer("bn2").get_weights()
base(x_new, training=True)
kept = np.array_equal(before, base.get_layer("bn2").get_weights())
print("statistics kept:", kept)
# --8<-- [end:no_op]


# --8<-- [start:no_op_right]
loaded.trainable = False
loaded.trainable = True
print("trainable arrays:", len(loaded.trainable_variables))

base.trainable = True
base.trainable = False
print("frozen:", frozen_norms(base))
# --8<-- [end:no_op_right]


# --8<-- [start:resume]
def loss_of_a_step(model):
    loss_of = keras.losses.SparseCategoricalCrossentropy()
    return float(loss_of(y_new, model(x_new, training=True)))


tuned = keras.saving.load_model("tuned.keras")
tuned.save_weights("tuned.weights.h5")

resumed = with_new_head(base)
base.trainable = True
resumed.load_weights("tuned.weights.h5")
np.testing.assert_array_equal(
    resumed(x_new, training=False), tuned(x_new, training=False)
)
print("predictions equal")
ratio = loss_of_a_step(resumed) / loss_of_a_step(tuned)
print("the next step starts at 5 times the loss:", ratio > 5)
# --8<-- [end:resume]


# --8<-- [start:resume_right]
for layer in batch_norms(resumed):
    layer.trainable = False
resumed.load_weights("tuned.weights.h5")
print("the same loss:", loss_of_a_step(resumed) == loss_of_a_step(tuned))
# --8<-- [end:resume_right]


# --8<-- [start:grad_cam]
try:
    model.get_layer("conv2")
except ValueError as error:
    print("ValueError:", str(error).partition(".")[0])

base = keras.saving.load_model("old.keras").get_layer("base")
head = keras.layers.Dense(2, activation="softmax")
flat = keras.Model(base.input, head(base.output))
for layer in batch_norms(flat):
    layer.trainable = False

conv2 = flat.get_layer("conv2")
both = keras.Model(flat.input, [conv2.output, flat.output])
with tf.GradientTape() as tape:
    maps, scores = both(x_new[:1], training=True)
    score = scores[:, 1]
print("gradient of the maps:", tape.gradient(score, maps).shape)
np.testing.assert_array_equal(scores, flat(x_new[:1], training=False))
print("scores as in inference mode")
# --8<-- [end:grad_cam]
