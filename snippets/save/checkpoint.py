# --8<-- [start:recipe]
import keras
import numpy as np
import tensorflow as tf

from bn_tools import layers_in


def checkpoint_of(model):
    """Return a checkpoint of all that a compiled, built model has learned."""
    if not model.variables:
        raise ValueError("the model has no arrays yet: call it once")
    if not model.optimizer.built:  # twice resets a LossScaleOptimizer
        model.optimizer.build(model.trainable_variables)
    learning = {id(v) for v in model.trainable_variables}
    flags = tf.Variable([id(v) in learning for v in model.variables])
    inner = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    kind = tf.Variable(type(inner).__name__)  # another's arrays may fit as well
    return tf.train.Checkpoint(
        model=model, arrays=model.variables, flags=flags, kind=kind
    )


def restore(model, path, arrays_only=False):
    """Restore what ``checkpoint_of`` saved into a built model of the same code.

    With ``arrays_only``, flags may differ, and the model's own optimizer stays.
    """
    if path is None:
        raise FileNotFoundError("no checkpoint to restore")
    value = "{}/.ATTRIBUTES/VARIABLE_VALUE".format
    saved = tf.train.load_variable(path, value("flags"))
    if arrays_only:
        checkpoint = tf.train.Checkpoint(arrays=model.variables)
        same = len(saved) == len(model.variables)
    else:
        checkpoint = checkpoint_of(model)
        same = np.array_equal(saved, checkpoint.flags)
    if not same:
        raise ValueError("other arrays or trainable layers than when saved")
    kind = tf.train.load_variable(path, value("kind"))
    if not arrays_only and kind != checkpoint.kind.numpy():
        raise ValueError(f"saved with the optimizer {kind.decode()}")
    status = checkpoint.restore(path)
    if arrays_only:
        status.expect_partial().assert_existing_objects_matched()
    else:
        status.assert_consumed()
    by_order = model.get_weights()
    # Once more by name, as far as names reach: the two have to agree.
    optimizer = getattr(model, "optimizer", None)
    if arrays_only:  # without this, a later compile() gets the one in the file
        model.optimizer = tf.train.Checkpoint()
    tf.train.Checkpoint(model=model).restore(path).expect_partial()
    model.optimizer = optimizer
    for array, weight in zip(by_order, model.weights, strict=True):
        if not np.array_equal(array, weight, equal_nan=True):
            raise ValueError(f"{weight.path}: the layers are in another order")
    for layer in layers_in(model, {}).values():
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()  # mean and variance beside its arrays
        if isinstance(layer, keras.Model):  # traced with the old ones
            layer.predict_function = None
            layer.test_function = layer.train_function = None
    return checkpoint


# --8<-- [end:recipe]


# --8<-- [start:model]
class Net(keras.Model):
    def __init__(self, container=list):
        super().__init__()
        dense = keras.layers.Dense(10, activation="relu")
        bn = keras.layers.BatchNormalization()
        self.blocks = container([dense, bn])
        self.head = keras.layers.Dense(5, activation="softmax")

    def call(self, x, training=False):
        dense, bn = self.blocks
        return self.head(bn(dense(x), training=training))


def compiled_and_built(net, rate=0.05):
    optimizer = keras.optimizers.SGD(rate, momentum=0.9)
    net.compile(optimizer, loss="sparse_categorical_crossentropy")
    net(np.zeros((1, 20), "float32"))
    return net


# --8<-- [end:model]

# --8<-- [start:train]
keras.utils.set_random_seed(0)
x = np.random.normal(size=(500, 20)).astype("float32")
y = np.argmax(x[:, :5], axis=1)

model = compiled_and_built(Net())
model.fit(x, y, epochs=5, verbose=0)
# --8<-- [end:train]

# --8<-- [start:save]
checkpoint = checkpoint_of(model)
path = checkpoint.save("checkpoints/net")
print(path)
for again in [checkpoint, checkpoint_of(model)]:
    print(again.save("others/net"))
# --8<-- [end:save]

# --8<-- [start:restore]
restored = compiled_and_built(Net(), rate=0.01)
before = [v.numpy() for v in restored.variables]
restore(restored, path)
# --8<-- [end:restore]


# --8<-- [start:prove]
def equal(one, other):
    pairs = zip(one, other, strict=True)
    return sum(np.array_equal(a, b) for a, b in pairs)


def same_predictions(one, other):
    return np.array_equal(one(x, training=False), other(x, training=False))


moments = model.optimizer.variables, restored.optimizer.variables
print("arrays equal before:", equal(model.variables, before), "of", len(before))
print("arrays equal:", equal(model.variables, restored.variables))
print("optimizer's equal:", equal(*moments), "of", len(moments[0]))
print("predictions equal:", same_predictions(model, restored))
print("continues after step", int(restored.optimizer.iterations))
rate = float(restored.optimizer.learning_rate)
print("learning rate:", round(rate, 3))
# --8<-- [end:prove]

# --8<-- [start:expect]
from bn_tools import write_record

write_record("record.npz", model, x[:32])
# --8<-- [end:expect]

# --8<-- [start:reload]
from bn_tools import compare

loaded = compiled_and_built(Net())
print("before:", len(compare("record.npz", loaded)), "differences")
restore(loaded, tf.train.latest_checkpoint("checkpoints"))
print("after:", compare("record.npz", loaded))
# --8<-- [end:reload]

# --8<-- [start:containers]
bn = keras.layers.BatchNormalization()
bn.build((None, 20))


def arrays_in_file(container, with_arrays):
    holder = keras.Model()
    holder.blocks = container
    arrays = {"arrays": holder.variables} if with_arrays else {}
    checkpoint = tf.train.Checkpoint(model=holder, **arrays)
    keys = tf.train.list_variables(checkpoint.save("containers/net"))
    return sum(
        "_CHECKPOINTABLE" not in k and "save_c" not in k for k, _ in keys
    )


for name, container in {
    "a list": [bn],
    "a dict": {"bn": bn},
    "a tuple": (bn,),
    "a list in a tuple": ([bn],),
    "a tuple in a list": [(bn,)],
}.items():
    found = arrays_in_file(container, False), arrays_in_file(container, True)
    print(f"{name:18} model: {found[0]} of 4   and arrays: {found[1]} of 4")
# --8<-- [end:containers]


# --8<-- [start:assertions]
def outcome(assertion):
    try:
        assertion()
    except AssertionError:
        return "raises"
    return "passes"


def attempt(case, status, target):
    matched = outcome(status.assert_existing_objects_matched)
    consumed = outcome(status.assert_consumed)
    n = sum(map(np.array_equal, trained.variables, target.variables))
    print(f"{case:22} matched {matched}  consumed {consumed}  arrays {n} of 8")


def built_net(container=tuple):
    net = compiled_and_built(Net(container))
    net.optimizer.build(net.trainable_variables)
    return net


Checkpoint = tf.train.Checkpoint
trained = built_net()
trained.fit(x, y, epochs=1, verbose=0)
path = Checkpoint(model=trained).save("tuple/net")

target = built_net()
attempt("compiled and built", Checkpoint(model=target).restore(path), target)

target = Net(tuple)
target(x[:1])
attempt("built, not compiled", Checkpoint(model=target).restore(path), target)

target = Net(tuple)
status = Checkpoint(model=target).restore(path)
target(x[:1])
attempt("built after restore", status, target)

target = built_net()
attempt("another name", Checkpoint(net=target).restore(path), target)

target = built_net()
attempt("no checkpoint found", Checkpoint(model=target).restore(None), target)

trained = built_net(list)
trained.fit(x, y, epochs=1, verbose=0)
path = Checkpoint(model=trained).save("list/net")
target = built_net(list)
attempt("layers in a list", Checkpoint(model=target).restore(path), target)

path = Checkpoint(model=trained, arrays=trained.variables).save("both/net")
target = built_net(list)
checkpoint = Checkpoint(model=target, arrays=target.variables)
attempt("the same, and arrays", checkpoint.restore(path), target)
# --8<-- [end:assertions]

# --8<-- [start:inference]
path = tf.train.latest_checkpoint("checkpoints")
served = Net()
served(x[:1])
print("equal before:", same_predictions(model, served))
restore(served, path, arrays_only=True)
print("equal after: ", same_predictions(model, served))

other = Net()
other(x[:1])
tf.train.Checkpoint(model=other).restore(path).expect_partial()
for case, net in {"restore()": served, "Checkpoint": other}.items():
    compiled_and_built(net, rate=0.01)
    steps = int(net.optimizer.iterations)
    rate = round(float(net.optimizer.learning_rate), 3)
    print(f"{case:10} compiled later: step {steps}, learning rate {rate}")
# --8<-- [end:inference]

# --8<-- [start:manager]
import os

manager = tf.train.CheckpointManager(
    checkpoint_of(model), "kept", max_to_keep=2
)
for _ in range(3):
    model.fit(x, y, epochs=1, verbose=0)
    manager.save()
print(sorted(name for name in os.listdir("kept") if "index" in name))

continued = compiled_and_built(Net())
checkpoint = restore(continued, tf.train.latest_checkpoint("kept"))
print("predictions equal:", same_predictions(model, continued))
print("continues after step", int(continued.optimizer.iterations))

manager = tf.train.CheckpointManager(checkpoint, "kept", max_to_keep=2)
print("next:", manager.save())
# --8<-- [end:manager]

# --8<-- [start:manager_empty]
for folder in ["keep", "kept"]:
    fresh = compiled_and_built(Net())
    checkpoint = checkpoint_of(fresh)
    elsewhere = tf.train.CheckpointManager(checkpoint, folder, max_to_keep=2)
    path = elsewhere.restore_or_initialize()
    print(f"restored from {path}: {same_predictions(model, fresh)}")

try:
    restore(fresh, tf.train.latest_checkpoint("keep"))
except FileNotFoundError as error:
    print("FileNotFoundError:", error)
# --8<-- [end:manager_empty]

# --8<-- [start:write]
path = checkpoint_of(model).write("written/net")
fresh = compiled_and_built(Net())
for method in ["restore", "read"]:
    status = getattr(checkpoint_of(fresh), method)(path)
    print(
        f"{path}, {method}: assert_consumed {outcome(status.assert_consumed)}"
    )
# --8<-- [end:write]


# --8<-- [start:frozen]
def two_norms(frozen, optimizer="adam"):
    norms = [keras.layers.BatchNormalization(name=name) for name in ["a", "b"]]
    net = keras.Sequential([keras.Input((8,)), *norms])
    net.get_layer(frozen).trainable = False
    net.compile(optimizer, "mse")
    net.optimizer.build(net.trainable_variables)
    return net


first = two_norms(frozen="a")
rows = np.random.normal(5, 3, size=(64, 8)).astype("float32")
first.fit(rows, rows, epochs=3, verbose=0)
path = tf.train.Checkpoint(model=first).save("flags/net")
for frozen in ["b", "a"]:
    other = two_norms(frozen)
    status = tf.train.Checkpoint(model=other).restore(path)
    print(f"{frozen} frozen: a's gamma is", end=" ")
    for name in ["a", "b"]:
        if np.array_equal(other.layers[0].gamma, first.get_layer(name).gamma):
            print(f"{name}'s,", end=" ")
    print("assert_consumed", outcome(status.assert_consumed))
# --8<-- [end:frozen]

# --8<-- [start:frozen_refused]
path = checkpoint_of(first).save("flags/all")
for frozen, optimizer in [("b", "adam"), ("a", "adamax"), ("a", "adam")]:
    other = two_norms(frozen, optimizer)
    print(f"{frozen} frozen, {optimizer}:", end=" ")
    try:
        restore(other, path)
        print(equal(first.variables, other.variables), "of 8 equal")
    except ValueError as error:
        print("ValueError:", error)
# --8<-- [end:frozen_refused]


# --8<-- [start:normalization]
def adapted(data):
    normalization = keras.layers.Normalization()
    normalization.adapt(data)
    net = keras.Sequential(
        [keras.Input((8,)), normalization, keras.layers.BatchNormalization()]
    )
    net.compile("adam", "mse")
    net.optimizer.build(net.trainable_variables)
    return net


first, other = adapted(rows), adapted(rows * 10)
print("predictions equal:", np.array_equal(first(rows), other(rows)))
both = {"model": first, "arrays": first.variables}
path = tf.train.Checkpoint(**both).save("adapted/net")
both = {"model": other, "arrays": other.variables}
tf.train.Checkpoint(**both).restore(path).assert_consumed()
print("arrays equal:", equal(first.variables, other.variables), "of 7")
print("predictions equal:", np.array_equal(first(rows), other(rows)))
other.layers[0].finalize_state()
print("finalized, equal: ", np.array_equal(first(rows), other(rows)))

path = checkpoint_of(first).save("adapted/all")
for way in ["finalize_state", "restore"]:
    other = adapted(rows * 10)
    other.predict(rows, verbose=0)
    if way == "restore":
        restore(other, path)
    else:
        other.set_weights(first.get_weights())
        other.layers[0].finalize_state()
    outputs = [net.predict(rows, verbose=0) for net in [first, other]]
    print(f"predict, {way}, equal:", np.allclose(*outputs, atol=1e-4))
# --8<-- [end:normalization]

# --8<-- [start:lookup]
words = tf.constant([["a"], ["b"], ["c"]])


def looking_up(vocabulary):
    lookup = keras.layers.StringLookup(
        vocabulary=vocabulary, output_mode="multi_hot"
    )
    inputs = keras.Input((1,), dtype="string")
    outputs = keras.layers.BatchNormalization()(lookup(inputs))
    return keras.Model(inputs, outputs)


first = looking_up(["a", "b", "c"])
first.layers[-1].set_weights(np.random.uniform(1, 2, size=(4, 4)))
first.save("lookup.keras")
first.save_weights("lookup.weights.h5")
path = tf.train.Checkpoint(model=first).save("lookup/net")

others = [looking_up(["c", "b", "a"]) for _ in range(2)]
tf.train.Checkpoint(model=others[0]).restore(path).assert_consumed()
others[1].load_weights("lookup.weights.h5")
others.append(keras.saving.load_model("lookup.keras"))
for way, other in zip(
    ["Checkpoint", ".weights.h5", ".keras"], others, strict=True
):
    arrays = equal(first.variables, other.variables)
    equal_outputs = np.array_equal(first(words), other(words))
    print(f"{way:12} {arrays} of 4 arrays, predictions equal: {equal_outputs}")
# --8<-- [end:lookup]

# --8<-- [start:trainable_only]
for arrays in ["trainable_variables", "variables"]:
    path = tf.train.Checkpoint(v=getattr(model, arrays)).save("some/net")
    target = compiled_and_built(Net())
    status = tf.train.Checkpoint(v=getattr(target, arrays)).restore(path)
    status.assert_consumed()
    print(f"{arrays:20} {equal(model.variables, target.variables)} of 8 equal")
# --8<-- [end:trainable_only]

# --8<-- [start:path]
target = compiled_and_built(Net())
for path in ["checkpoints", "checkpoints/net"]:
    try:
        tf.train.Checkpoint(model=target).restore(path)
    except tf.errors.OpError as error:
        print(f"{type(error).__name__}: {error.message.partition(':')[0]}")
print(tf.train.latest_checkpoint("checkpoints/net"))
print(tf.train.latest_checkpoint("checkpoints"))
# --8<-- [end:path]
