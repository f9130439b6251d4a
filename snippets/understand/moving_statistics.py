# --8<-- [start:share]
import keras
import numpy as np
import tensorflow as tf

x = np.array([[2], [8]], dtype="float32")  # mean 5, variance 9
layer = keras.layers.BatchNormalization(momentum=0.99)
call = tf.function(layer)  # much faster for many steps

for step in range(1, 501):
    call(x, training=True)
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

keras.utils.set_random_seed(0)
data = np.random.normal(5, 3, size=(1000, 1)).astype("float32")
measured_at = 2 ** np.arange(12)  # 1, 2, 4, ... 2048


@tf.function  # much faster for thousands of steps
def run(layer, data, steps):
    def step(number):
        layer(data, training=True)
        return [number + 1]

    tf.while_loop(lambda number: number < steps, step, [0])


def gaps(momentum):
    layer = keras.layers.BatchNormalization(momentum=momentum)
    layer.build(data.shape)
    found = []
    for steps in np.diff(measured_at, prepend=0):
        run(layer, data, tf.constant(steps - 1, tf.int32))
        in_training_mode = layer(data, training=True)
        in_inference_mode = layer(data, training=False)
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
def after_459_steps(narrow, **settings):
    """Return the moving variance, and the outputs' width in both modes."""
    layer = keras.layers.BatchNormalization(momentum=0.99, **settings)
    layer.build(narrow.shape)
    run(layer, narrow, tf.constant(458))
    in_training_mode = layer(narrow, training=True)
    in_inference_mode = layer(narrow, training=False)
    widths = np.ptp(in_inference_mode), np.ptp(in_training_mode)
    return layer.moving_variance.numpy()[0], *widths


print("after 459 steps, 1% is left")
print("           moving variance  outputs, as wide as in training mode")
print("deviation  / true variance  epsilon=0.001  epsilon=1e-7")
for deviation in [3, 0.1, 0.01]:
    narrow = (5 + deviation * np.array([[-1], [1]])).astype("float32")
    variance, *default = after_459_steps(narrow)
    _, *tiny = after_459_steps(narrow, epsilon=1e-7)
    print(
        f"{deviation:<9}  {variance / deviation**2:15.0f}  "
        f"{default[0] / default[1]:13.1f}  {tiny[0] / tiny[1]:12.1f}"
    )
# --8<-- [end:variance]

# --8<-- [start:never_moved]
from bn_tools import batch_norms


def never_moved(model):
    return [
        array.path
        for layer in batch_norms(model)
        for array, start in [(layer.moving_mean, 0), (layer.moving_variance, 1)]
        if np.all(array.numpy() == start)
    ]


inner = keras.Sequential(
    [keras.Input(shape=(1,)), keras.layers.BatchNormalization(name="bn")]
)
model = keras.Sequential([keras.Input(shape=(1,)), inner])
print("untrained:", *never_moved(model), sep="\n  ")
model(data, training=True)
print("trained:  ", never_moved(model))
# --8<-- [end:never_moved]
