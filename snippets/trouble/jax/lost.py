# --8<-- [start:setup]
import os

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
import numpy as np

x = np.random.default_rng(0).normal(5, 3, (960, 8)).astype("float32")
y = (x[:, 0] + x[:, 1] > 10).astype("int32")
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def build():
    keras.utils.set_random_seed(0)
    norm = keras.layers.BatchNormalization(momentum=0.9, name="bn")
    layers = [norm, keras.layers.Dense(16, "relu"), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input(shape=(8,)), *layers])
    model.compile(keras.optimizers.Adam(0.01))
    return model


def report(net):
    moved = np.any(net.get_layer("bn").moving_mean.numpy())
    labels = np.argmax(net(x, training=False), axis=1)
    good = np.mean(labels == y) > 0.9
    print(f"statistics moved: {moved}, accuracy over 0.9: {good}")


# --8<-- [end:setup]


# --8<-- [start:loop]
def loop(training=True, carry=True, write=2):
    net = build()
    groups = net.trainable_variables, net.non_trainable_variables
    optimizer = net.optimizer
    optimizer.build(net.trainable_variables)

    @jax.jit
    def step(trainable, non_trainable, slots, x, y):
        def loss_and_updates(trainable):
            outputs, new = net.stateless_call(
                trainable, non_trainable, x, training=training
            )
            return loss_fn(y, outputs), new

        gradients = jax.grad(loss_and_updates, has_aux=True)
        grads, new = gradients(trainable)
        trainable, slots = optimizer.stateless_apply(slots, grads, trainable)
        return trainable, new if carry else non_trainable, slots

    state = [[v.value for v in g] for g in (*groups, optimizer.variables)]
    for _ in range(12):
        for i in range(0, 960, 64):
            state = step(*state, x[i : i + 64], y[i : i + 64])
    for group, arrays in list(zip(groups, state))[:write]:
        for variable, array in zip(group, arrays, strict=True):
            variable.assign(array)
    return net


# --8<-- [end:loop]

# --8<-- [start:see]
for name, settings in {
    "without training=True": {"training": False},
    "new values dropped": {"carry": False},
    "nothing written back": {"write": 0},
    "trainable ones written back": {"write": 1},
}.items():
    print(f"{name:28}", end="")
    report(loop(**settings))
# --8<-- [end:see]

# --8<-- [start:fix]
net = loop(training=True, carry=True, write=2)
# --8<-- [end:fix]

# --8<-- [start:sure]
report(net)
for variable in net.get_layer("bn").non_trainable_variables:
    start = 1 if variable.name == "moving_variance" else 0
    print(
        f"{variable.name:15} at its start:", np.all(variable.numpy() == start)
    )
# --8<-- [end:sure]
