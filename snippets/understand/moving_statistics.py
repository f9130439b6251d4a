# --8<-- [start:share]
import keras
import numpy as np

x = np.array([[2], [8]], dtype="float32")  # mean 5, variance 9
layer = keras.layers.BatchNormalization(momentum=0.99)

for step in range(1, 501):
    layer(x, training=True)
    left_of_mean = (5 - layer.moving_mean.numpy()[0]) / (5 - 0)
    left_of_variance = (9 - layer.moving_variance.numpy()[0]) / (9 - 1)

    # float32 holds about seven digits, and each of the steps rounds once.
    np.testing.assert_allclose(left_of_mean, 0.99**step, atol=1e-4)
    np.testing.assert_allclose(left_of_variance, 0.99**step, atol=1e-4)
    if step in [1, 10, 100, 500]:
        print(f"after {step:3} steps {0.99**step:.1%} is left")
# --8<-- [end:share]

# --8<-- [start:steps]
import math

print("momentum  steps until 1% is left")
for momentum in [0.9, 0.99, 0.999]:
    steps = math.ceil(math.log(0.01) / math.log(momentum))
    print(f"{momentum:<8}  {steps:5}")
# --8<-- [end:steps]

# --8<-- [start:gap]
import matplotlib.pyplot as plt
import tensorflow as tf

keras.utils.set_random_seed(0)
data = np.random.normal(5, 3, size=(1000, 1)).astype("float32")
measured_at = 2 ** np.arange(13)  # 1, 2, 4, ... 4096


def gaps(momentum):
    layer = keras.layers.BatchNormalization(momentum=momentum)
    call = tf.function(layer)  # much faster for thousands of steps
    found = []
    for step in range(1, measured_at[-1] + 1):
        in_training_mode = call(data, training=True)
        if step in measured_at:
            in_inference_mode = call(data, training=False)
            found.append(np.mean(np.abs(in_training_mode - in_inference_mode)))
    return found


labels = {
    0.9: ("0.9", 4, 1.9),
    0.99: ("0.99", 40, 1.9),
    0.999: ("momentum 0.999", 130, 3.9),
}
for momentum, (label, *place) in labels.items():
    (line,) = plt.plot(measured_at, gaps(momentum))
    plt.annotate(label, place, color=line.get_color())
plt.xscale("log")
plt.minorticks_off()
plt.xticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
plt.xlabel("steps")
plt.ylabel("mean gap of the outputs")
plt.savefig("gap.svg")
# --8<-- [end:gap]

# --8<-- [start:variance]
print("after 459 steps, 1% is left")
for deviation in [3, 0.1, 0.01]:
    narrow = (5 + deviation * np.array([[-1], [1]])).astype("float32")
    layer = keras.layers.BatchNormalization(momentum=0.99)
    for _ in range(459):
        in_training_mode = layer(narrow, training=True)
    in_inference_mode = layer(narrow, training=False)

    ratio = layer.moving_variance.numpy()[0] / deviation**2
    width = np.ptp(in_inference_mode) / np.ptp(in_training_mode)
    print(
        f"deviation {deviation:<4}  variance {ratio:3.0f} times the true one, "
        f"outputs {width:.1f} times as wide"
    )
# --8<-- [end:variance]

# --8<-- [start:train]
keras.utils.set_random_seed(0)
noise = np.random.normal(size=(2000, 5))
x = (5 + 0.1 * noise).astype("float32")
y = np.argmax(noise, axis=1)

model = keras.Sequential(
    [
        keras.Input(shape=(5,)),
        keras.layers.BatchNormalization(name="bn1"),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.BatchNormalization(name="bn2"),
        keras.layers.Dense(5, activation="softmax"),
    ]
)
model.compile(
    optimizer=keras.optimizers.Adam(0.01),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
history = model.fit(x, y, batch_size=100, epochs=4, verbose=0).history
print("steps:", int(model.optimizer.iterations))
# --8<-- [end:train]


# --8<-- [start:bad_save]
def accuracy(model):
    return model.evaluate(x, y, verbose=0)[1]


model.save("stale.keras")
loaded = keras.saving.load_model("stale.keras")

print("fit reported more than 0.8:  ", history["accuracy"][-1] > 0.8)
print("loaded has less than 0.4:    ", accuracy(loaded) < 0.4)
print("saved had the same as loaded:", accuracy(model) == accuracy(loaded))
np.testing.assert_array_equal(
    model.predict(x, verbose=0), loaded.predict(x, verbose=0)
)
print("predictions equal before and after")
# --8<-- [end:bad_save]

# --8<-- [start:repair]
layers = [
    layer
    for layer in loaded.layers
    if isinstance(layer, keras.layers.BatchNormalization)
]
momenta = [layer.momentum for layer in layers]

print("before: more than 0.9:", accuracy(loaded) > 0.9)
for layer in layers:
    layer.momentum = 0.0
loaded(x, training=True)
for layer, momentum in zip(layers, momenta):
    layer.momentum = momentum
print("after:  more than 0.9:", accuracy(loaded) > 0.9)
# --8<-- [end:repair]

# --8<-- [start:exact]
np.testing.assert_allclose(layers[0].moving_variance, x.var(axis=0), rtol=1e-3)
print("moving_variance is the variance of the data")

for trained, repaired in zip(
    model.trainable_weights, loaded.trainable_weights, strict=True
):
    np.testing.assert_array_equal(trained, repaired)
print("no trainable array changed")
# --8<-- [end:exact]

# --8<-- [start:last_batch]
in_order = x[np.argsort(x[:, 0])]
batches = np.split(in_order, 20)

layer = keras.layers.BatchNormalization(momentum=0.0)
for batch in batches:
    layer(batch, training=True)

for name, rows in {"data": x, "last batch": batches[-1]}.items():
    equal = np.allclose(layer.moving_mean, rows.mean(axis=0), atol=1e-4)
    print(f"moving_mean is the mean of the {name}: {equal}")
# --8<-- [end:last_batch]


# --8<-- [start:batches]
def batch_norms(model):
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from batch_norms(layer)
        elif isinstance(layer, keras.layers.BatchNormalization):
            yield layer


def estimate_again(model, batches):
    layers = list(batch_norms(model))
    settings = [(layer.momentum, layer.trainable) for layer in layers]
    for count, batch in enumerate(batches):
        for layer in layers:
            layer.trainable = True  # a frozen layer would update nothing
            layer.momentum = count / (count + 1)  # a plain average
        model(batch, training=True)
    for layer, (momentum, trainable) in zip(layers, settings):
        layer.momentum = momentum
        layer.trainable = trainable


batched = keras.saving.load_model("stale.keras")
shuffled = np.random.permutation(x)
estimate_again(batched, np.split(shuffled, 20))
print("more than 0.9:", accuracy(batched) > 0.9)

for one_pass, in_batches in zip(
    loaded.non_trainable_weights, batched.non_trainable_weights, strict=True
):
    np.testing.assert_allclose(one_pass, in_batches, rtol=0.05, atol=1e-3)
print("as in one pass, within 5%")
# --8<-- [end:batches]

# --8<-- [start:many_calls]
patient = keras.saving.load_model("stale.keras")
for _ in range(25):  # 25 times 20 batches: 500 steps
    for batch in np.split(shuffled, 20):
        patient(batch, training=True)
print("more than 0.9:", accuracy(patient) > 0.9)
# --8<-- [end:many_calls]

# --8<-- [start:frozen]
frozen = keras.saving.load_model("stale.keras")
for layer in frozen.layers:
    layer.trainable = False

before = frozen.get_weights()
for batch in np.split(shuffled, 20):
    frozen(batch, training=True)
unchanged = all(map(np.array_equal, before, frozen.get_weights()))
print("nothing changed:", unchanged)
print("more than 0.9:", accuracy(frozen) > 0.9)
# --8<-- [end:frozen]

# --8<-- [start:unfrozen]
outer = keras.Sequential([keras.Input(shape=(5,)), frozen])
estimate_again(outer, np.split(shuffled, 20))
print("more than 0.9:", accuracy(frozen) > 0.9)
print("still frozen:", not frozen.trainable_weights)
# --8<-- [end:unfrozen]

# --8<-- [start:traced]
retrained = keras.saving.load_model("stale.keras")
retrained.fit(x, y, verbose=0)

first = retrained.layers[0]
first.momentum = 0.0
retrained.fit(x, y, batch_size=len(x), verbose=0)
print(
    "momentum 0 was used:",
    np.allclose(first.moving_mean, x.mean(axis=0), atol=1e-3),
)
# --8<-- [end:traced]

# --8<-- [start:traced_right]
retrained.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
retrained.fit(x, y, batch_size=len(x), verbose=0)
print(
    "momentum 0 was used:",
    np.allclose(first.moving_mean, x.mean(axis=0), atol=1e-3),
)
# --8<-- [end:traced_right]

# --8<-- [start:tiny]
for rows in [1, 100]:
    layer = keras.layers.BatchNormalization()
    call = tf.function(layer)
    for _ in range(1000):
        call(np.random.choice(data[:, 0], size=(rows, 1)), training=True)
    share = layer.moving_variance.numpy()[0] / data.var()
    print(f"batches of {rows:3}: less than 1% of the variance: {share < 0.01}")
# --8<-- [end:tiny]


# --8<-- [start:never_moved]
def never_moved(model):
    return [
        array.path
        for array in model.variables
        if (array.name == "moving_mean" and np.all(array == 0))
        or (array.name == "moving_variance" and np.all(array == 1))
    ]


print("trained:  ", never_moved(model))

untrained = keras.models.clone_model(model)
outer = keras.Sequential([keras.Input(shape=(5,)), untrained])
print("untrained:", *never_moved(outer), sep="\n  ")
# --8<-- [end:never_moved]
