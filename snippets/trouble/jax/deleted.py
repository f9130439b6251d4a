# --8<-- [start:setup]
import os

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
import numpy as np

x = np.random.default_rng(0).normal(5, 3, (64, 4)).astype("float32")
model = keras.Sequential(
    [keras.Input(shape=(4,)), keras.layers.BatchNormalization(momentum=0.5)]
)


def values():
    groups = model.trainable_variables, model.non_trainable_variables
    return [[v.value for v in group] for group in groups]


@jax.jit
def step(trainable, non_trainable):
    _, new = model.stateless_call(trainable, non_trainable, x, training=True)
    return trainable, new


# --8<-- [end:setup]

# --8<-- [start:see]
state = values()
model(x, training=False)
print("after a call, arrays deleted:", state[1][0].is_deleted())
model.predict(x, verbose=0)
print("after predict:", state[1][0].is_deleted())
try:
    step(*state)
except RuntimeError as error:
    print("RuntimeError:", error)
# --8<-- [end:see]


# --8<-- [start:fix]
def write(trainable, non_trainable):
    copies = jax.tree.map(jax.numpy.copy, (trainable, non_trainable))
    groups = model.trainable_variables, model.non_trainable_variables
    for group, arrays in zip(groups, copies, strict=True):
        for variable, array in zip(group, arrays, strict=True):
            variable.assign(array)


# --8<-- [end:fix]

# --8<-- [start:sure]
start = [np.ones(4), np.zeros(4)], [np.zeros(4), np.ones(4)]
for writes in [False, True]:
    write(*start)
    state = step(*values())
    if writes:
        write(*state)
    model.predict(x, verbose=0)
    moved = np.array(values()[1][0]).any()
    print(f"written: {writes!s:5} predict had the step: {moved}")
    step(*state)  # goes on

late = values()
model.predict(x, verbose=0)
try:
    write(*late)
except (RuntimeError, ValueError):
    print("freed arrays: refused, the model deleted:", end=" ")
print(values()[1][0].is_deleted())
# --8<-- [end:sure]
