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
measured_at = 2 ** np.arange(12)  # 1, 2, 4, ... 2048


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
    call = tf.function(layer)
    for _ in range(459):
        in_training_mode = call(narrow, training=True)
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
    return np.mean(np.argmax(model(x, training=False), axis=1) == y)


model.save("stale.keras")
loaded = keras.saving.load_model("stale.keras")

print("fit reported more than 0.8:  ", history["accuracy"][-1] > 0.8)
print("loaded has less than 0.4:    ", accuracy(loaded) < 0.4)
print("saved had the same as loaded:", accuracy(model) == accuracy(loaded))
np.testing.assert_array_equal(
    model(x, training=False), loaded(x, training=False)
)
print("predictions equal before and after")
# --8<-- [end:bad_save]

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
