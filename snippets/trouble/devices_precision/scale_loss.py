# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
x = np.random.normal(loc=5, scale=3, size=(1024, 8)).astype("float32")
y = (x[:, :1] > x[:, 1:2]).astype("float32")


def run(step, optimizer, factor=1.0, policy="mixed_float16"):
    """Return how far the kernel moved, and which gradients are 0."""
    keras.mixed_precision.set_global_policy(policy)
    keras.utils.set_random_seed(0)
    net = keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid", dtype="float32"),
        ]
    )
    optimizer.build(net.trainable_variables)
    kernel, zeros = net.layers[1].kernel, []
    before = kernel.numpy()
    for rows in np.split(np.arange(1024), 8):
        gradients = step(net, optimizer, x[rows], y[rows], factor)
        zeros.append(np.mean(gradients[2].numpy() == 0))
    return np.abs(kernel.numpy() - before).max(), np.mean(zeros)


def loss_scaling():
    return keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1))


# --8<-- [end:setup]


# --8<-- [start:see]
def step(net, optimizer, x, y, factor):
    with tf.GradientTape() as tape:
        outputs = net(x, training=True)
        losses = keras.losses.binary_crossentropy(y, outputs)
        loss = factor * tf.reduce_mean(losses)
    gradients = tape.gradient(loss, net.trainable_variables)
    optimizer.apply(gradients, net.trainable_variables)
    return gradients


moved, _ = run(step, loss_scaling())
print("LossScaleOptimizer: the kernel moves:", moved > 0.01)
moved, _ = run(step, keras.optimizers.SGD(0.1))
print("SGD alone:          the kernel moves:", moved > 0.01)
# --8<-- [end:see]

# --8<-- [start:zeros]
_, zeros = run(step, keras.optimizers.SGD(0.1), factor=1e-5)
print("SGD alone, a small loss: many gradients are 0:", zeros > 0.1)
# --8<-- [end:zeros]


# --8<-- [start:fix]
def scaled_step(net, optimizer, x, y, factor):
    with tf.GradientTape() as tape:
        outputs = net(x, training=True)
        losses = keras.losses.binary_crossentropy(y, outputs)
        loss = factor * tf.reduce_mean(losses)
        scaled = optimizer.scale_loss(loss)
    gradients = tape.gradient(scaled, net.trainable_variables)
    optimizer.apply(gradients, net.trainable_variables)
    return gradients


# --8<-- [end:fix]

# --8<-- [start:sure]
moved, _ = run(scaled_step, loss_scaling())
print("the kernel moves:", moved > 0.01)

print("a small loss, 1e-5 of it: many gradients are 0")
_, zeros = run(scaled_step, loss_scaling(), factor=1e-5)
print("  LossScaleOptimizer, scale_loss", zeros > 0.1)
for policy in ["mixed_float16", "mixed_bfloat16", "float32"]:
    _, zeros = run(step, keras.optimizers.SGD(0.1), 1e-5, policy)
    print(f"  SGD alone, {policy:19} {zeros > 0.1}")
# --8<-- [end:sure]
