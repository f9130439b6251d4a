# --8<-- [start:train]
import os

os.environ["KERAS_BACKEND"] = "jax"  # before Keras is imported

import jax
import keras
import numpy as np


def train(model, loss_fn, batches, epochs=1):
    """Train a compiled model; return the loss of each epoch, as fit has it."""
    optimizer = model.optimizer
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


def build(kind=keras.Model):
    keras.utils.set_random_seed(0)
    inputs = keras.Input(shape=(8,))
    norm = keras.layers.BatchNormalization(momentum=0.9, name="bn")
    hidden = keras.layers.Dense(16, "relu", kernel_regularizer="l2")
    outputs = hidden(norm(inputs))
    outputs = keras.layers.Dropout(0.2)(outputs)
    model = kind(inputs, keras.layers.Dense(2)(outputs))
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


# --8<-- [start:structures]
def build_nested():
    keras.utils.set_random_seed(0)
    base = keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.Dense(8),
            keras.layers.BatchNormalization(name="frozen_bn"),
        ],
        name="base",
    )
    base.trainable = False
    inputs = {
        "a": keras.Input((8,), name="a"),
        "b": keras.Input((8,), name="b"),
    }
    outputs = keras.layers.Concatenate()([base(inputs["a"]), inputs["b"]])
    outputs = keras.layers.BatchNormalization(name="bn")(outputs)
    outputs = keras.layers.Dropout(0.2)(outputs)
    outputs = keras.layers.Dense(2, dtype="float32")(outputs)
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.SGD(0.1), loss_fn)
    return model


pairs = {"a": x[:960], "b": x[:960, ::-1] / 2}
cut = [
    ({name: rows[i : i + 64] for name, rows in pairs.items()}, y[i : i + 64])
    for i in range(0, 960, 64)
]
for policy in ["float32", "mixed_float16", "mixed_bfloat16"]:
    keras.config.set_dtype_policy(policy)
    looped, fitted = build_nested(), build_nested()
    losses = train(looped, loss_fn, cut, epochs=3)
    history = fitted.fit(
        pairs, y[:960], batch_size=64, epochs=3, shuffle=False, verbose=0
    ).history
    close = np.allclose(losses, history["loss"], rtol=1e-2)
    frozen = looped.get_layer("base").get_layer("frozen_bn")
    moved = np.any(frozen.moving_mean.numpy())
    print(f"{policy:14} losses as in fit: {close}", end=", ")
    print(f"frozen statistics moved: {moved}")
keras.config.set_dtype_policy("float32")
# --8<-- [end:structures]

# --8<-- [start:save]
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


# --8<-- [start:override]
@keras.saving.register_keras_serializable()
class Custom(keras.Model):
    def train_step(self, state, data):
        trainable, non_trainable, slots, metrics = state
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        gradients = jax.value_and_grad(
            self.compute_loss_and_updates, has_aux=True
        )
        (_, results), grads = gradients(
            trainable,
            non_trainable,
            metrics,
            x,
            y,
            weight,
            training=True,
            optimizer_variables=slots,
        )
        loss, outputs, non_trainable, metrics = results
        # Here the gradients can be changed, scaled ones under mixed_float16.
        trainable, slots = self.optimizer.stateless_apply(
            slots, grads, trainable
        )
        values = list(zip(self.metrics_variables, metrics))
        with keras.StatelessScope(values) as scope:
            self.metrics[0].update_state(loss, len(jax.tree.leaves(x)[0]))
            logs = self.compute_metrics(x, y, outputs, weight)
        metrics = [scope.get_current_value(v) for v in self.metrics_variables]
        return logs, (trainable, non_trainable, slots, metrics)


def fit_both(kind):
    net = build(kind)
    adam = keras.optimizers.Adam(0.01)
    net.compile(adam, loss_fn, weighted_metrics=["accuracy"])
    weight = np.where(y == 1, 2.0, 1.0)
    settings = {"batch_size": 64, "sample_weight": weight, "verbose": 0}
    return net, net.fit(x, y, epochs=3, **settings).history


custom, own = fit_both(Custom)
_, usual = fit_both(keras.Model)
for name in usual:
    print(f"{name} as in fit:", np.allclose(own[name], usual[name], rtol=1e-4))

custom.save("custom.keras")
reloaded = keras.saving.load_model("custom.keras")
for saved, loaded in zip(custom.weights, reloaded.weights, strict=True):
    np.testing.assert_array_equal(saved.numpy(), loaded.numpy())
print(len(reloaded.weights), "arrays equal after loading")
# --8<-- [end:override]


# --8<-- [start:lost]
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
        for batch in batches[:-1]:
            state = step(*state, *batch)
    for group, arrays in list(zip(groups, state))[:write]:
        for variable, array in zip(group, arrays, strict=True):
            variable.assign(array)
    return net


for name, settings in {
    "all three": {},
    "without training=True": {"training": False},
    "new values dropped": {"carry": False},
    "nothing written back": {"write": 0},
    "trainable ones written back": {"write": 1},
}.items():
    print(f"{name:28}", end="")
    report(loop(**settings))
# --8<-- [end:lost]


# --8<-- [start:override_wrong]
class Drops(Custom):
    def train_step(self, state, data):
        logs, new = super().train_step(state, data)
        return logs, (new[0], state[1], new[2], new[3])


class Shortens(Custom):
    def train_step(self, state, data):
        logs, new = super().train_step(state, data)
        return logs, (new[0], new[2], new[3])


for kind in [Custom, Drops]:
    net = build(kind)
    net.fit(x[:960], y[:960], batch_size=64, epochs=12, verbose=0)
    print(f"{kind.__name__:8}", end="")
    report(net)

net = build(Shortens)
for action in [
    lambda: net.fit(x, y, verbose=0),
    lambda: net.save("short.keras"),
]:
    try:
        action()
    except (TypeError, ValueError) as error:
        print(f"Shortens {type(error).__name__}:", error)
# --8<-- [end:override_wrong]

# --8<-- [start:variables]
net = build()
groups = net.trainable_variables, net.non_trainable_variables
forward = jax.jit(net.stateless_call)
forward(*([v.value for v in group] for group in groups), x)
print("arrays: called")
try:
    forward(*groups, x)
except ValueError as error:
    print("variables: ValueError:", str(error)[:46])
# --8<-- [end:variables]

# --8<-- [start:attribute]
mean = model.get_layer("bn").moving_mean.value
replaced, assigned = build(), build()
replaced.get_layer("bn").moving_mean = mean
assigned.get_layer("bn").moving_mean.assign(mean)
for name, net in {"replaced": replaced, "assigned": assigned}.items():
    net.save(f"{name}.keras")
    loaded = keras.saving.load_model(f"{name}.keras")
    saved = np.array_equal(loaded.get_layer("bn").moving_mean, mean)
    print(f"{name}: saved {saved}")
# --8<-- [end:attribute]

# --8<-- [start:deleted]
net = build()
start = [v.value for v in net.non_trainable_variables]
net(x, training=False)
print("after a call, arrays deleted:", start[0].is_deleted())
net.predict(x, verbose=0)
print("after predict:", start[0].is_deleted())
start = [v.value for v in net.non_trainable_variables]
print("taken again:", start[0].is_deleted())
# --8<-- [end:deleted]

# --8<-- [start:traced]
for name, wrap in {"under jax.jit": jax.jit, "called": lambda f: f}.items():
    net = build()
    wrap(lambda x, net=net: net(x, training=True))(x)
    try:
        net.save("traced.keras")
        print(f"{name}: saved")
    except jax.errors.TracerArrayConversionError as error:
        print(f"{name}: {type(error).__name__}")
# --8<-- [end:traced]


# --8<-- [start:seeds]
dropout = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.BatchNormalization(),
        keras.layers.Dropout(0.5),
    ]
)
trainable, before = (
    [v.value for v in group]
    for group in (dropout.trainable_variables, dropout.non_trainable_variables)
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
for name, part in {"the whole batch": batch, "one half": halves[0]}.items():
    same = np.allclose(mean, part.mean(axis=0), atol=1e-4)
    same &= np.allclose(variance, part.var(axis=0), rtol=1e-4)
    print(f"statistics of {name}: {same}")
# --8<-- [end:sharded]

# --8<-- [start:versions]
from importlib.metadata import version

for library in ["keras", "jax", "tensorflow"]:
    print(library, version(library))
# --8<-- [end:versions]
