# --8<-- [start:versions]
from importlib.metadata import version

for library in ["keras", "jax", "tensorflow"]:
    print(library, version(library))
# --8<-- [end:versions]

# --8<-- [start:model]
import os

os.environ["KERAS_BACKEND"] = "jax"  # before Keras is imported

import jax
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(1024, 8)).astype("float32")
y = (x[:, 0] + x[:, 1] > 10).astype("int32")


def build():
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.BatchNormalization(momentum=0.9, name="bn"),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(2),
        ]
    )


model = build()
optimizer = keras.optimizers.Adam(0.01)
optimizer.build(model.trainable_variables)
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
# --8<-- [end:model]


# --8<-- [start:step]
def loss_and_updates(trainable, non_trainable, x, y):
    logits, non_trainable = model.stateless_call(
        trainable, non_trainable, x, training=True
    )
    return loss_fn(y, logits), non_trainable


gradients = jax.value_and_grad(loss_and_updates, has_aux=True)


@jax.jit
def train_step(state, x, y):
    trainable, non_trainable, slots = state
    (loss, non_trainable), grads = gradients(trainable, non_trainable, x, y)
    trainable, slots = optimizer.stateless_apply(slots, grads, trainable)
    return trainable, non_trainable, slots


# --8<-- [end:step]


# --8<-- [start:loop]
def train(step, state):
    for epoch in range(12):
        for i in range(0, len(x), 64):
            state = step(state, x[i : i + 64], y[i : i + 64])
    return state


def arrays_of(*groups):
    return tuple([variable.value for variable in group] for group in groups)


variables = (
    model.trainable_variables,
    model.non_trainable_variables,
    optimizer.variables,
)
start = arrays_of(*variables)
state = train(train_step, start)
# --8<-- [end:loop]


# --8<-- [start:too_early]
def report(net):
    moved = np.any(net.get_layer("bn").moving_mean.numpy())
    labels = np.argmax(net(x, training=False), axis=1)
    print("moving statistics:", "moved" if moved else "never moved")
    print("accuracy is at least 0.9:", np.mean(labels == y) >= 0.9)


report(model)
model.save("too-early.keras")
# --8<-- [end:too_early]

# --8<-- [start:write_back]
for group, arrays in zip(variables, state, strict=True):
    for variable, array in zip(group, arrays, strict=True):
        variable.assign(array)

report(model)
# --8<-- [end:write_back]

# --8<-- [start:save]
model.compile(optimizer=optimizer, loss=loss_fn)  # so that it is saved, too
model.save("net.keras")

np.savez(
    "expected.npz",
    *model.get_weights(),
    x=x,
    y=y,
    predictions=model(x, training=False),
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
np.testing.assert_allclose(
    loaded.predict(expected["x"], verbose=0), expected["predictions"], atol=1e-4
)
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
np.testing.assert_allclose(
    loaded.predict(expected["x"], verbose=0), expected["predictions"], atol=1e-4
)
print("backend:", keras.config.backend())
print(len(weights), "arrays equal, predictions within 1e-4")
loaded.fit(expected["x"], expected["y"], batch_size=64, verbose=0)
print("continued to step", int(loaded.optimizer.iterations))
# --8<-- [end:reload_tensorflow]

# --8<-- [start:fit]
fitted = build()
fitted.compile(optimizer=keras.optimizers.Adam(0.01), loss=loss_fn)
fitted.fit(x, y, batch_size=64, epochs=12, verbose=0)
report(fitted)
# --8<-- [end:fit]


# --8<-- [start:override]
@keras.saving.register_keras_serializable()
class Custom(keras.Model):
    def loss_and_updates(self, trainable, non_trainable, x, y):
        logits, non_trainable = self.stateless_call(
            trainable, non_trainable, x, training=True
        )
        return loss_fn(y, logits), non_trainable

    def train_step(self, state, data):
        trainable, non_trainable, slots, metrics = state
        gradients = jax.value_and_grad(self.loss_and_updates, has_aux=True)
        (loss, non_trainable), grads = gradients(
            trainable, non_trainable, *data
        )
        trainable, slots = self.optimizer.stateless_apply(
            slots, grads, trainable
        )
        logs = {"batch_loss": loss}
        return logs, (trainable, non_trainable, slots, metrics)


def compiled(kind):
    layers = build()
    net = kind(layers.inputs, layers.outputs)
    net.compile(optimizer=keras.optimizers.Adam(0.01))
    return net


custom = compiled(Custom)
custom.fit(x, y, batch_size=64, epochs=12, verbose=0)
report(custom)

custom.save("custom.keras")
reloaded = keras.saving.load_model("custom.keras")
for saved, loaded in zip(custom.weights, reloaded.weights, strict=True):
    np.testing.assert_array_equal(saved.numpy(), loaded.numpy())
print(len(reloaded.weights), "arrays equal")
# --8<-- [end:override]


# --8<-- [start:forgotten]
def wrong_loss(trainable, non_trainable, x, y):
    logits, non_trainable = model.stateless_call(trainable, non_trainable, x)
    return loss_fn(y, logits), non_trainable


@jax.jit
def wrong_step(state, x, y):
    trainable, non_trainable, slots = state
    gradients = jax.value_and_grad(wrong_loss, has_aux=True)
    (loss, non_trainable), grads = gradients(trainable, non_trainable, x, y)
    trainable, slots = optimizer.stateless_apply(slots, grads, trainable)
    return trainable, non_trainable, slots


def statistics(non_trainable):
    mean, variance = non_trainable
    print("moving_mean:", np.unique(mean))
    print("moving_variance:", np.unique(variance))


statistics(train(wrong_step, start)[1])
# --8<-- [end:forgotten]


# --8<-- [start:dropped]
@jax.jit
def dropping_step(state, x, y):
    trainable, non_trainable, slots = state
    (loss, _), grads = gradients(trainable, non_trainable, x, y)
    trainable, slots = optimizer.stateless_apply(slots, grads, trainable)
    return trainable, non_trainable, slots


def accuracy(state, training):
    logits, _ = model.stateless_call(*state[:2], x, training=training)
    return np.mean(np.argmax(logits, axis=1) == y)


dropped = train(dropping_step, start)
statistics(dropped[1])
for name, result in {"dropped": dropped, "carried along": state}.items():
    print(f"{name}:")
    print("  training mode, at least 0.9: ", accuracy(result, True) >= 0.9)
    print("  inference mode, at least 0.9:", accuracy(result, False) >= 0.9)
# --8<-- [end:dropped]

# --8<-- [start:not_written]
early = keras.saving.load_model("too-early.keras")
groups = early.trainable_variables, early.non_trainable_variables
equal = [
    np.array_equal(loaded, untrained)
    for group, arrays in zip(arrays_of(*groups), start)
    for loaded, untrained in zip(group, arrays)
]
print("arrays as before training:", sum(equal), "of", len(equal))
# --8<-- [end:not_written]

# --8<-- [start:half_written]
half = build()
for variable, array in zip(half.trainable_variables, state[0], strict=True):
    variable.assign(array)
report(half)
# --8<-- [end:half_written]

# --8<-- [start:variables]
try:
    train_step(variables, x, y)
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:variables]

# --8<-- [start:attribute]
replaced = build()
bn = replaced.get_layer("bn")
bn.moving_mean = state[1][0]
replaced.save("replaced.keras")

loaded = keras.saving.load_model("replaced.keras")
print("saved mean is 0:", not np.any(loaded.get_layer("bn").moving_mean))
try:
    bn.moving_mean.numpy()
except AttributeError as error:
    print("AttributeError:", error)
# --8<-- [end:attribute]

# --8<-- [start:assign]
assigned = build()
assigned.get_layer("bn").moving_mean.assign(state[1][0])
assigned.save("assigned.keras")

loaded = keras.saving.load_model("assigned.keras")
np.testing.assert_array_equal(
    loaded.get_layer("bn").moving_mean.numpy(), state[1][0]
)
print("saved mean is the one of the loop")
# --8<-- [end:assign]

# --8<-- [start:deleted]
model.predict(x, verbose=0)
try:
    train_step(state, x, y)
except RuntimeError as error:
    print("RuntimeError:", error)
# --8<-- [end:deleted]

# --8<-- [start:taken_again]
state = arrays_of(*variables)
state = train_step(state, x, y)
print("the loop goes on")
# --8<-- [end:taken_again]

# --8<-- [start:traced]
traced = build()
jax.jit(lambda x: traced(x, training=True))(x)
try:
    traced.save("traced.keras")
except jax.errors.TracerArrayConversionError as error:
    print(f"{type(error).__name__}:", str(error).splitlines()[0])
# --8<-- [end:traced]

# --8<-- [start:eager]
eager = build()
eager(x, training=True)
print("moved:", np.any(eager.get_layer("bn").moving_mean.numpy()))
eager.save("eager.keras")
# --8<-- [end:eager]


# --8<-- [start:override_wrong]
class Drops(Custom):
    def train_step(self, state, data):
        logs, new = super().train_step(state, data)
        return logs, (new[0], state[1], new[2], new[3])


class Shortens(Custom):
    def train_step(self, state, data):
        logs, new = super().train_step(state, data)
        return logs, (new[0], new[2], new[3])


drops = compiled(Drops)
drops.fit(x, y, batch_size=64, epochs=12, verbose=0)
report(drops)

shortens = compiled(Shortens)
for action in [
    lambda: shortens.fit(x, y, verbose=0),
    lambda: shortens.save("short.keras"),
]:
    try:
        action()
    except (TypeError, ValueError) as error:
        print(f"{type(error).__name__}:", error)
# --8<-- [end:override_wrong]

# --8<-- [start:seeds]
dropout = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.BatchNormalization(),
        keras.layers.Dropout(0.5),
    ]
)
trainable, before = arrays_of(
    dropout.trainable_variables, dropout.non_trainable_variables
)
first, after = dropout.stateless_call(trainable, before, x, training=True)
for variable, old, new in zip(dropout.non_trainable_variables, before, after):
    print(f"{variable.name:20} changed: {not np.array_equal(old, new)}")

for name, seeds in {"old": before, "new": after}.items():
    outputs, _ = dropout.stateless_call(trainable, seeds, x, training=True)
    same = np.array_equal(outputs == 0, first == 0)
    print(f"the same mask from the {name} values: {same}")
# --8<-- [end:seeds]

# --8<-- [start:sharded]
import os

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

jax.config.update("jax_num_cpu_devices", 2)
mesh = jax.make_mesh((2,), ("batch",))

# The halves, one for each device, have nothing in common.
halves = np.random.normal(0, 1, (64, 8)), np.random.normal(10, 1, (64, 8))
batch = np.concatenate(halves).astype("float32")
sharded = jax.device_put(batch, NamedSharding(mesh, PartitionSpec("batch")))
print([shard.data.shape for shard in sharded.addressable_shards])

net = keras.Sequential(
    [keras.Input(shape=(8,)), keras.layers.BatchNormalization(momentum=0.0)]
)
everywhere = NamedSharding(mesh, PartitionSpec())
trainable, non_trainable = (
    [jax.device_put(variable.value, everywhere) for variable in group]
    for group in [net.trainable_variables, net.non_trainable_variables]
)


@jax.jit
def forward(trainable, non_trainable, x):
    return net.stateless_call(trainable, non_trainable, x, training=True)


_, (mean, variance) = forward(trainable, non_trainable, sharded)
np.testing.assert_allclose(mean, batch.mean(axis=0), atol=1e-4)
np.testing.assert_allclose(variance, batch.var(axis=0), rtol=1e-4)
print("statistics of the whole batch")
# --8<-- [end:sharded]
