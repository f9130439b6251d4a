# --8<-- [start:step]
import keras
import numpy as np
import tensorflow as tf
from bn_tools import batch_norms, layers_in


def make_train_step(model, optimizer, loss_of):
    """Return a function that trains on one batch and returns its loss.

    Args:
        model: A model that has been called once.
        optimizer: Its optimizer; under mixed_float16 a LossScaleOptimizer.
        loss_of: A loss of Keras, or a function of targets, outputs, weights.
    """
    layers = layers_in(model, {}).values()
    if any(layer.compute_dtype == "float16" for layer in layers):
        if not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            raise ValueError("float16: wrap it in a LossScaleOptimizer")
    if not optimizer.built:
        optimizer.build(model.trainable_variables)

    @tf.function
    def train_step(x, y, weight=None):
        with tf.GradientTape() as tape:
            outputs = model(x, training=True)
            loss = loss_of(y, outputs, weight)
            loss += sum(tf.cast(extra, loss.dtype) for extra in model.losses)
            scaled = optimizer.scale_loss(loss)
        arrays = model.trainable_variables
        optimizer.apply(tape.gradient(scaled, arrays), arrays)
        return loss

    return train_step


# --8<-- [end:step]


# --8<-- [start:check]
def moving(model):
    """Return the statistics of each layer that is not frozen."""
    return {
        layer: np.stack([layer.moving_mean, layer.moving_variance])
        for layer in batch_norms(model)
        if layer.trainable
    }


def check_moved(before, model):
    """Raise if a layer has the statistics that ``moving`` returned before."""
    still = [
        layer.moving_mean.path.rpartition("/")[0]
        for layer, arrays in moving(model).items()
        if layer in before and np.array_equal(arrays, before[layer])
    ]
    if still:
        raise RuntimeError(f"statistics did not move: {still}")


# --8<-- [end:check]


# --8<-- [start:checkpoint]
def checkpoint_of(model, optimizer=None):
    """Return a checkpoint of all arrays, wherever the model keeps its layers.

    Args:
        model: A model that has been called once.
        optimizer: Its optimizer; without it, what is saved cannot be resumed.
    """
    layers = layers_in(model, {}).values()
    unbuilt = [layer.name for layer in layers if not layer.built]
    if unbuilt:
        raise ValueError(f"call the model once, no arrays yet in: {unbuilt}")
    parts = {"model": model, "arrays": model.variables}
    if optimizer is not None:
        if not optimizer.built:
            optimizer.build(model.trainable_variables)
        parts["optimizer"] = optimizer
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    kind = tf.Variable(type(inner).__name__)  # another's arrays may fit as well
    learning = {id(v) for v in model.trainable_variables}
    flags = tf.Variable([id(v) in learning for v in model.variables])
    return tf.train.Checkpoint(flags=flags, kind=kind, **parts)


def restore(checkpoint, path):
    """Restore what ``checkpoint_of`` returned from a path, or raise.

    Before the first step: traced, it keeps the values of a Normalization layer.
    """
    if path is None:
        raise FileNotFoundError("no checkpoint to restore")
    saved, kind = (
        tf.train.load_variable(path, f"{name}/.ATTRIBUTES/VARIABLE_VALUE")
        for name in ["flags", "kind"]
    )
    flags = checkpoint.flags.numpy()
    if len(saved) != len(flags):
        raise ValueError(f"{len(flags)} arrays, {len(saved)} in the file")
    resume = hasattr(checkpoint, "optimizer")
    if resume and not np.array_equal(saved, flags):
        raise ValueError("other layers were frozen when this was saved")
    if resume and kind != checkpoint.kind.numpy():
        raise ValueError(f"the file's optimizer is {kind.decode()}")
    status = checkpoint.restore(path)
    if resume:
        status.assert_consumed()
    else:
        status.assert_existing_objects_matched()
        status.expect_partial()  # no warnings: the rest is not needed
    model = checkpoint.model
    by_order = model.get_weights()
    # Once more by name, as far as names reach: the two have to agree.
    tf.train.Checkpoint(model=model).restore(path).expect_partial()
    for array, weight in zip(by_order, model.weights, strict=True):
        if not np.array_equal(array, weight, equal_nan=True):
            raise ValueError(f"{weight.path}: the layers are in another order")
    for layer in layers_in(model, {}).values():
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()  # it computes with values beside its arrays
        if isinstance(layer, keras.Model):  # traced with the old ones
            layer.predict_function = None
            layer.test_function = layer.train_function = None


# --8<-- [end:checkpoint]


# --8<-- [start:model]
class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.blocks = [
            [
                keras.layers.Dense(units, "relu", kernel_regularizer="l2"),
                keras.layers.BatchNormalization(name=f"bn_{units}"),
            ]
            for units in [16, 8]
        ]
        self.head = keras.layers.Dense(3, activation="softmax")

    def call(self, x, training=False):
        for dense, bn in self.blocks:
            x = bn(dense(x), training=training)
        return self.head(x)


def make_model():
    model = Net(name="net")
    model(np.zeros((1, 6)))
    return model


# --8<-- [end:model]

# --8<-- [start:data]
keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(1030, 6)).astype("float32")
y = np.argmax(x[:, :3], axis=1)
weight = np.random.uniform(size=1030).astype("float32")
batches = tf.data.Dataset.from_tensor_slices((x, y, weight)).batch(50)
# --8<-- [end:data]

# --8<-- [start:loop]
model = make_model()
start = model.get_weights()
optimizer = keras.optimizers.SGD(0.05, momentum=0.9)
loss_of = keras.losses.SparseCategoricalCrossentropy()
train_step = make_train_step(model, optimizer, loss_of)

mean = keras.metrics.Mean()
losses = []
for epoch in range(5):
    mean.reset_state()
    before = moving(model)
    for x_batch, y_batch, weights in batches:
        loss = train_step(x_batch, y_batch, weights)
        mean.update_state(loss, sample_weight=len(x_batch))
    check_moved(before, model)
    losses.append(float(mean.result()))

print("steps:", int(optimizer.iterations))
# --8<-- [end:loop]

# --8<-- [start:as_fit]
fitted = make_model()
fitted.set_weights(start)
fitted.compile(keras.optimizers.SGD(0.05, momentum=0.9), loss_of)
history = fitted.fit(batches, epochs=5, verbose=0, shuffle=False).history
same = np.allclose(history["loss"], losses, atol=1e-3)
print("losses as those of fit:", same)
pairs = zip(fitted.get_weights(), model.get_weights(), strict=True)
same = all(np.allclose(*pair, atol=0.01) for pair in pairs)
print("arrays as those of fit:", same)
# --8<-- [end:as_fit]


# --8<-- [start:validate]
@tf.function
def outputs_of(model, x, training):
    return model(x, training=training)


before = model.get_weights()
hits = []
for x_batch, y_batch, _ in batches:  # in your project: validation data
    outputs = outputs_of(model, x_batch, training=False)
    hits.append(np.argmax(outputs, axis=1) == y_batch)

print("accuracy is more than 0.5:", np.mean(np.concatenate(hits)) > 0.5)
for old, new in zip(before, model.get_weights(), strict=True):
    np.testing.assert_array_equal(old, new)
print("no array has changed")
# --8<-- [end:validate]

# --8<-- [start:save]
checkpoint = checkpoint_of(model, optimizer)
path = checkpoint.save("checkpoints/net")
print(path)
# --8<-- [end:save]

# --8<-- [start:restore]
resumed = make_model()
resumed_optimizer = keras.optimizers.SGD(0.05, momentum=0.9)
resumed_checkpoint = checkpoint_of(resumed, resumed_optimizer)
restore(resumed_checkpoint, tf.train.latest_checkpoint("checkpoints"))
print("continues after step", int(resumed_optimizer.iterations))
print("saved so far:", int(resumed_checkpoint.save_counter))
# --8<-- [end:restore]


# --8<-- [start:prove]
def equal(one, other):
    pairs = zip(one.variables, other.variables, strict=True)
    found = [np.array_equal(*pair) for pair in pairs]
    return f"{sum(found)} of {len(found)} arrays equal"


print("untrained:", equal(model, make_model()))
print("restored: ", equal(model, resumed))

for net, sgd in [(model, optimizer), (resumed, resumed_optimizer)]:
    step = make_train_step(net, sgd, loss_of)
    for batch in batches.take(10):
        step(*batch)
print("ten steps later:", equal(model, resumed))
# --8<-- [end:prove]

# --8<-- [start:expect]
from bn_tools import write_record

checkpoint.save("checkpoints/net")
write_record("net.npz", model, x[:32])
# --8<-- [end:expect]

# --8<-- [start:reload]
from bn_tools import compare

loaded = make_model()
print("before:", len(compare("net.npz", loaded)) > 0)
restore(checkpoint_of(loaded), tf.train.latest_checkpoint("checkpoints"))
print("after: ", compare("net.npz", loaded))
# --8<-- [end:reload]

# --8<-- [start:wrong_path]
for found in ["checkpoints/net", "checkpoints"]:
    found = tf.train.latest_checkpoint(found)
    fresh = make_model()
    status = tf.train.Checkpoint(model=fresh).restore(found)
    status.expect_partial()
    print(
        f"{found}: head restored:",
        np.array_equal(fresh.head.kernel, model.head.kernel),
    )
try:
    restore(checkpoint_of(make_model()), None)
except FileNotFoundError as error:
    print("FileNotFoundError:", error)
# --8<-- [end:wrong_path]

# --8<-- [start:lists]
for parts in [["model"], ["model", "arrays"]]:
    saved = {"model": model, "arrays": model.variables}
    path = tf.train.Checkpoint(**{part: saved[part] for part in parts}).write(
        "in-list"
    )
    fresh = make_model()
    loaded = {"model": fresh, "arrays": fresh.variables}
    status = tf.train.Checkpoint(**{part: loaded[part] for part in parts}).read(
        path
    )
    status.assert_existing_objects_matched()
    status.assert_consumed()
    print(*parts, "- both assertions pass,", equal(model, fresh))
# --8<-- [end:lists]


# --8<-- [start:unbuilt]
class Chain(keras.Model):
    def __init__(self, *parts):
        super().__init__()
        self.parts = parts  # a tuple, which checkpoints follow

    def call(self, x, training=False):
        for part in self.parts:
            x = part(x)
        return x


class Block(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(6)
        self.bn = keras.layers.BatchNormalization()

    def call(self, x, training=False):
        return self.bn(self.dense(x), training=training)


def dense():
    return keras.layers.Dense(6)


def bn():
    return keras.layers.BatchNormalization()


def sequential(*first):
    return keras.Sequential([*first, dense(), bn()])


structures = {
    "Dense, BN": lambda: Chain(dense(), bn()),
    "BN, Dense": lambda: Chain(bn(), dense()),
    "Block, Block": lambda: Chain(Block(), Block()),
    "Sequential, Dense": lambda: Chain(sequential(), dense()),
    "Sequential alone": sequential,
    "with an Input": lambda: sequential(keras.Input(shape=(6,))),
}
NAMES = ["kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance"]


def arrays_of(net):
    layers = layers_in(net, {}).values()
    places = [(layer, name) for layer in layers for name in NAMES]
    return {
        (i, name): getattr(layer, name).numpy()
        for i, (layer, name) in enumerate(places)
        if getattr(layer, name, None) is not None
    }


def lost(make, built):
    saved = make()
    saved(x[:1])
    for array in saved.variables:
        array.assign(np.random.uniform(1, 2, array.shape))
    path = tf.train.Checkpoint(model=saved).write("structure")
    fresh = make()
    if built:
        fresh(x[:1])
    status = tf.train.Checkpoint(model=fresh).read(path)
    status.assert_existing_objects_matched()
    fresh(x[:1])
    pairs = zip(
        arrays_of(saved).items(), arrays_of(fresh).values(), strict=True
    )
    return [name for ((_, name), a), b in pairs if not np.array_equal(a, b)]


for what, make in structures.items():
    assert not lost(make, built=True)
    print(f"{what:18}", ", ".join(lost(make, built=False)) or "nothing lost")
# --8<-- [end:unbuilt]

# --8<-- [start:unbuilt_raises]
try:
    checkpoint_of(Net())
except ValueError as error:
    print("ValueError:", str(error).partition(":")[0])
# --8<-- [end:unbuilt_raises]


# --8<-- [start:flags]
def frozen(i, optimizer):
    net = keras.Sequential([keras.Input(shape=(6,)), bn(), bn()])
    net.layers[i].trainable = False
    return net, optimizer()


adam, adamax = keras.optimizers.Adam, keras.optimizers.Adamax
first = checkpoint_of(*frozen(0, adam))
for variable in first.optimizer.variables[2:]:
    variable.assign(np.ones(6))
path = first.save("flags/net")
for i, kind in [(0, adam), (0, adamax), (1, adam)]:
    other = checkpoint_of(*frozen(i, kind))
    moment = other.optimizer.variables[2]
    try:
        restore(other, path)
    except ValueError as error:
        print("ValueError:", error)
    restored = np.all(moment == 1)
    print(f"layer {i} frozen, {kind.__name__}, restored: {restored}")

other.restore(path).assert_consumed()
print("unchecked, a moment of the other layer:", np.all(moment == 1))
# --8<-- [end:flags]


# --8<-- [start:order]
def named(names):
    net = Chain()
    for name in names:
        layer = bn()
        layer.build((None, 6))
        setattr(net, name, layer)
    net(x[:1])
    return net


saved = checkpoint_of(named("ab"))
for array in saved.arrays:
    array.assign(np.random.uniform(1, 2, 6))
path = saved.save("named/net")
for names, adam in [
    ("ab", None),
    ("ba", None),
    ("a", None),
    ("ab", keras.optimizers.Adam()),
]:
    try:
        restore(checkpoint_of(named(names), adam), path)
        print(f"{names:2} restored")
    except (ValueError, AssertionError) as error:
        print(f"{names:2}", str(error).rpartition("gamma: ")[2])
# --8<-- [end:order]


# --8<-- [start:forgotten]
def losses_of(training):
    keras.utils.set_random_seed(1)
    net, sgd = make_model(), keras.optimizers.SGD(0.05)

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = loss_of(y, net(x, training=training))
        arrays = net.trainable_variables
        sgd.apply(tape.gradient(loss, arrays), arrays)
        return loss

    before = moving(net)
    for epoch in range(5):
        found = [float(step(x, y)) for x, y, _ in batches.take(20)]
    try:
        check_moved(before, net)
    except RuntimeError as error:
        print("RuntimeError:", error)
    return np.mean(found)


print("loss is lower with training=True:", losses_of(True) < losses_of(False))
# --8<-- [end:forgotten]

# --8<-- [start:flag]
try:
    outputs_of(model, x[:50], training=tf.constant(True))
except TypeError as error:
    start = str(error).index("Using a symbolic")
    print("TypeError:", str(error)[start:].split(". ")[0])

training = True


@tf.function
def by_global(x):
    return model(x, training=training)


by_global(x[:50])
training = False
for name, call in {
    "global": by_global,
    "argument": lambda x: outputs_of(model, x, training=training),
}.items():
    before = moving(model)
    call(x[:50])
    changed = not all(
        map(np.array_equal, before.values(), moving(model).values())
    )
    print(f"{name + ',':9} validation changed the statistics: {changed}")
# --8<-- [end:flag]

# --8<-- [start:tf1]
v1 = tf.compat.v1
for waits in [False, True]:
    with tf.Graph().as_default(), v1.Session() as session:
        weight = v1.get_variable("weight", initializer=1.0)
        mean = v1.get_variable("moving_mean", initializer=0.0, trainable=False)
        # What tf.compat.v1.layers.batch_normalization does with its updates.
        v1.add_to_collection(v1.GraphKeys.UPDATE_OPS, mean.assign_add(0.1))

        updates = v1.get_collection(v1.GraphKeys.UPDATE_OPS)
        with tf.control_dependencies(updates if waits else []):
            train_op = v1.train.GradientDescentOptimizer(0.1).minimize(
                weight**2
            )

        session.run(v1.global_variables_initializer())
        session.run(train_op)
        trained, moved = session.run([weight, mean])
        print(f"waits: {waits}, trained: {trained < 1}, moved: {moved > 0}")
# --8<-- [end:tf1]
