# --8<-- [start:recipe]
from contextlib import contextmanager, nullcontext

import keras
import numpy as np
import tensorflow as tf

from bn_tools import layers_in, same_names


def checkpoint_of(model):
    """Return a checkpoint of all that a compiled, built model has learned."""
    if not model.variables:
        raise ValueError("the model has no arrays yet: call it once")
    if not model.optimizer.built:  # twice resets a LossScaleOptimizer
        model.optimizer.build(model.trainable_variables)
    learning = {id(v) for v in model.trainable_variables}
    for layer in layers_in(model, {}).values():
        norm = isinstance(layer, keras.layers.BatchNormalization)
        if norm and layer.trainable:
            learning.add(id(layer.moving_mean))
    inner = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    notes = {  # another kind's arrays may fit as well
        "flags": tf.Variable([id(v) in learning for v in model.variables]),
        "kind": tf.Variable(type(inner).__name__),
        "paths": tf.Variable([v.path for v in model.variables]),
    }
    return tf.train.Checkpoint(model=model, arrays=model.variables, **notes)


@contextmanager
def set_apart(model, path):
    """Take each optimizer that the file has out of the model, for a while."""
    apart, keys = [], [key for key, _ in tf.train.list_variables(path)]
    try:
        for key in [key for key in keys if "/_iterations/" in key]:
            *names, last = key.split("/_iterations/")[0].split("/")[1:]
            owner = model
            for n in names:
                owner = owner[int(n)] if n.isdigit() else getattr(owner, n)
            if isinstance(owner, keras.layers.Layer):  # not one in another
                apart.append((owner, last, getattr(owner, last, None)))
                setattr(owner, last, tf.train.Checkpoint())
        yield
    finally:
        for owner, last, optimizer in apart:
            setattr(owner, last, optimizer)


def restore(model, path, arrays_only=False):
    """Restore what ``checkpoint_of`` saved into a built model of the same code.

    With ``arrays_only``, flags may differ, and the model's own optimizers stay.
    """
    if path is None:
        raise FileNotFoundError("no checkpoint to restore")
    notes = {
        note: tf.train.load_variable(path, f"{note}/.ATTRIBUTES/VARIABLE_VALUE")
        for note in ("flags", "kind", "paths")
    }
    paths = [each.decode() for each in notes["paths"]]
    if not same_names(paths, [v.path for v in model.variables]):
        raise ValueError("other arrays than when saved, or in another order")
    if arrays_only:
        checkpoint = tf.train.Checkpoint(arrays=model.variables)
        status = checkpoint.restore(path).expect_partial()
        status.assert_existing_objects_matched()
    else:
        checkpoint = checkpoint_of(model)
        if not np.array_equal(notes["flags"], checkpoint.flags):
            raise ValueError("other trainable layers than when saved")
        if (kind := notes["kind"].decode()) != checkpoint.kind.numpy().decode():
            raise ValueError(f"saved with the optimizer {kind}")
        checkpoint.restore(path).assert_consumed()
    by_order = model.get_weights()
    # Once more by name, as far as names reach: the two have to agree.
    # An optimizer, also of a later compile(), would get what the file has.
    with set_apart(model, path) if arrays_only else nullcontext():
        tf.train.Checkpoint(model=model).restore(path).expect_partial()
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
    def __init__(self):
        super().__init__()
        dense = keras.layers.Dense(10, activation="relu")
        self.blocks = [dense, keras.layers.BatchNormalization()]
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
print(checkpoint.save("checkpoints/net"))
# --8<-- [end:save]

# --8<-- [start:restore]
from bn_tools import compare, write_record

write_record("record.npz", model, x[:32])
restored = compiled_and_built(Net(), rate=0.01)
print("before:", len(compare("record.npz", restored)), "differences")
restore(restored, tf.train.latest_checkpoint("checkpoints"))
print("after:", compare("record.npz", restored))
print("continues after step", int(restored.optimizer.iterations.numpy()))
print("learning rate:", round(restored.optimizer.learning_rate.numpy(), 3))
# --8<-- [end:restore]

# --8<-- [start:reload]
from bn_tools import compare

loaded = compiled_and_built(Net())
print("before:", len(compare("record.npz", loaded)), "differences")
restore(loaded, tf.train.latest_checkpoint("checkpoints"))
print("after:", compare("record.npz", loaded))
# --8<-- [end:reload]


# --8<-- [start:loop]
def train_step(net):
    with tf.GradientTape() as tape:
        loss = net.compute_loss(x, y, net(x, training=True))
    arrays = net.trainable_variables
    net.optimizer.apply(tape.gradient(loss, arrays), arrays)


train_step(model)
resumed = compiled_and_built(Net())
restore(resumed, checkpoint.save("checkpoints/net"))
for _ in range(10):
    train_step(model)
    train_step(resumed)
print("step:", int(resumed.optimizer.iterations.numpy()))
write_record("loop.npz", model, x[:32])
print(compare("loop.npz", resumed))
# --8<-- [end:loop]

# --8<-- [start:inference]
served = Net()
served(x[:1])
path = checkpoint.save("checkpoints/net")
print(path, compare("loop.npz", served)[:1])
restore(served, path, arrays_only=True)
print(compare("loop.npz", served))
# --8<-- [end:inference]

# --8<-- [start:manager]
checkpoint = checkpoint_of(model)
manager = tf.train.CheckpointManager(checkpoint, "kept", max_to_keep=2)
for _ in range(3):
    model.fit(x, y, epochs=1, verbose=0)
    manager.save()
print(sorted(tf.io.gfile.glob("kept/*index")))

continued = compiled_and_built(Net())
checkpoint = restore(continued, tf.train.latest_checkpoint("kept"))
manager = tf.train.CheckpointManager(checkpoint, "kept", max_to_keep=2)
print("next:", manager.save())
# --8<-- [end:manager]
