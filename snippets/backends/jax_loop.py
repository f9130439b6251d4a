# --8<-- [start:train]
import os

os.environ["KERAS_BACKEND"] = "jax"  # before Keras is imported

import jax
import keras
import numpy as np


def train(model, loss_fn, batches, epochs=1):
    """Train a compiled model; return the loss of each epoch, as fit has it."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None or not model.built:
        raise ValueError("compile the model and call it once first")
    if not optimizer.built:
        optimizer.build(model.trainable_variables)
    variables = (
        model.trainable_variables,
        model.non_trainable_variables,
        optimizer.variables,
    )

    def loss_and_updates(trainable, non_trainable, slots, x, y):
        outputs, non_trainable, penalties = model.stateless_call(
            trainable, non_trainable, x, training=True, return_losses=True
        )
        loss = loss_fn(y, outputs) + sum(penalties)
        with keras.StatelessScope(list(zip(optimizer.variables, slots))):
            scaled = optimizer.scale_loss(loss)  # for mixed_float16
        return scaled, (loss, non_trainable)

    gradients = jax.value_and_grad(loss_and_updates, has_aux=True)

    @jax.jit
    def step(state, x, y):
        (_, (loss, non_trainable)), grads = gradients(*state, x, y)
        trainable, _, slots = state
        trainable, slots = optimizer.stateless_apply(slots, grads, trainable)
        return (trainable, non_trainable, slots), loss

    state = tuple([v.value for v in group] for group in variables)
    history = []
    try:
        for epoch in range(epochs):
            total, rows = 0, 0
            for x, y in batches:
                state, loss = step(state, x, y)
                count = len(jax.tree.leaves(x)[0])
                total, rows = total + count * loss, rows + count
            if not rows:  # such as a generator in its second epoch
                raise ValueError(f"no batches in epoch {epoch + 1}")
            history.append(float(total / rows))
    finally:  # also when it is interrupted
        for group, arrays in zip(variables, state, strict=True):
            for variable, array in zip(group, arrays, strict=True):
                variable.assign(array)
    return history


# --8<-- [end:train]


# --8<-- [start:model]
keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(1000, 8)).astype("float32")
y = (x[:, 0] + x[:, 1] > 10).astype("int32")
# The last batch is smaller.
batches = [(x[i : i + 64], y[i : i + 64]) for i in range(0, 1000, 64)]
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def build():
    keras.utils.set_random_seed(0)
    inputs = keras.Input(shape=(8,))
    norm = keras.layers.BatchNormalization(momentum=0.9, name="bn")
    hidden = keras.layers.Dense(16, "relu", kernel_regularizer="l2")
    outputs = keras.layers.Dropout(0.2)(hidden(norm(inputs)))
    model = keras.Model(inputs, keras.layers.Dense(2)(outputs))
    model.compile(keras.optimizers.Adam(0.01), loss_fn)
    return model


def report(net):
    moved = np.any(net.get_layer("bn").moving_mean.numpy())
    labels = np.argmax(net(x, training=False), axis=1)
    good = np.mean(labels == y) > 0.9
    print(f"statistics moved: {moved}, accuracy over 0.9: {good}")


# --8<-- [end:model]

# --8<-- [start:use]
model = build()
report(model)
losses = train(model, loss_fn, batches, epochs=12)
report(model)
# --8<-- [end:use]

# --8<-- [start:fit]
fitted = build()
history = fitted.fit(
    x, y, batch_size=64, epochs=12, shuffle=False, verbose=0
).history
np.testing.assert_allclose(losses, history["loss"], rtol=1e-4)
print("losses of", len(losses), "epochs within 0.01%")
for one, other in zip(model.variables, fitted.variables, strict=True):
    np.testing.assert_allclose(one, other, rtol=1e-2, atol=1e-3)
print(len(model.variables), "arrays within 1%")
print("step", int(model.optimizer.iterations), int(fitted.optimizer.iterations))
# --8<-- [end:fit]

# --8<-- [start:save]
model.save("net.keras")
predictions = model(x, training=False)
np.savez(
    "expected.npz", *model.get_weights(), x=x, y=y, predictions=predictions
)
# --8<-- [end:save]

# --8<-- [start:reload_jax]
import os

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np

loaded = keras.saving.load_model("net.keras")
expected = np.load("expected.npz")

weights = loaded.get_weights()
for i, array in enumerate(weights):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
predictions = loaded.predict(expected["x"], verbose=0)
np.testing.assert_allclose(predictions, expected["predictions"], atol=1e-4)
bn = loaded.get_layer("bn")
print("backend:", keras.config.backend())
print("moving_mean still 0:", not np.any(bn.moving_mean.numpy()))
print("moving_variance still 1:", np.all(bn.moving_variance.numpy() == 1))
print(len(weights), "arrays equal, predictions within 1e-4")
print("continues after step", int(loaded.optimizer.iterations))
# --8<-- [end:reload_jax]

# --8<-- [start:reload_tensorflow]
import keras
import numpy as np

loaded = keras.saving.load_model("net.keras")
expected = np.load("expected.npz")

weights = loaded.get_weights()
for i, array in enumerate(weights):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
predictions = loaded.predict(expected["x"], verbose=0)
np.testing.assert_allclose(predictions, expected["predictions"], atol=1e-4)
print("backend:", keras.config.backend())
print(len(weights), "arrays equal, predictions within 1e-4")
loaded.fit(expected["x"], expected["y"], batch_size=64, verbose=0)
print("continued to step", int(loaded.optimizer.iterations))
# --8<-- [end:reload_tensorflow]


# --8<-- [start:structures]
def build_nested():
    keras.utils.set_random_seed(0)
    norm = keras.layers.BatchNormalization(name="frozen_bn")
    layers = [keras.Input(shape=(8,)), keras.layers.Dense(8), norm]
    base = keras.Sequential(layers, name="base")
    base.trainable = False
    inputs = {name: keras.Input((8,), name=name) for name in "ab"}
    outputs = keras.layers.Concatenate()([base(inputs["a"]), inputs["b"]])
    outputs = keras.layers.BatchNormalization()(outputs)
    outputs = keras.layers.Dropout(0.2)(outputs)
    outputs = keras.layers.Dense(2, dtype="float32")(outputs)
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.SGD(0.1), loss_fn)
    return model


cut = [({"a": x, "b": x[:, ::-1] / 2}, y) for x, y in batches]
pairs = {"a": x, "b": x[:, ::-1] / 2}
for policy in ["float32", "mixed_float16", "mixed_bfloat16"]:
    keras.config.set_dtype_policy(policy)
    looped, fitted = build_nested(), build_nested()
    losses = train(looped, loss_fn, cut, epochs=3)
    there = fitted.fit(pairs, y, 64, epochs=3, shuffle=False, verbose=0)
    close = np.allclose(losses, there.history["loss"], rtol=1e-2)
    frozen = looped.get_layer("base").get_layer("frozen_bn").moving_mean
    print(f"{policy:14} losses as in fit: {close}", end=", ")
    print(f"frozen statistics moved: {np.any(frozen.numpy())}")
keras.config.set_dtype_policy("float32")
# --8<-- [end:structures]

# --8<-- [start:versions]
from importlib.metadata import version

for library in ["keras", "jax", "tensorflow"]:
    print(library, version(library))
# --8<-- [end:versions]
