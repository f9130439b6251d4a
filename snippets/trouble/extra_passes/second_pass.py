# --8<-- [start:setup]
import contextlib

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(2048, 4)).astype("float32")
y = np.digitize(x[:, 0], [2, 4, 6, 8])  # which of five intervals
rows = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(2048, seed=0)
batches = rows.batch(128).repeat(20)


def build():
    keras.utils.set_random_seed(1)
    layers = [
        keras.layers.BatchNormalization(momentum=0.9, name="bn"),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.Dense(5, activation="softmax"),
    ]
    return keras.Sequential([keras.Input(shape=(4,)), *layers])


def right(outputs):
    return np.mean(np.argmax(outputs, axis=1) == y)


# --8<-- [end:setup]


# --8<-- [start:step]
def step_of(model, second_pass=True, around=contextlib.nullcontext):
    optimizer = keras.optimizers.Adam(0.01)
    optimizer.build(model.trainable_variables)
    loss_of = keras.losses.SparseCategoricalCrossentropy()

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            outputs = model(x, training=True)
            loss = loss_of(y, outputs)
            if second_pass:
                seen = tf.random.uniform(tf.shape(x)) < 0.5
                with around():
                    half = model(tf.where(seen, x, 0.0), training=True)
                target = tf.stop_gradient(outputs)
                loss += 0.3 * tf.reduce_mean(tf.square(half - target))
        arrays = model.trainable_variables
        optimizer.apply(tape.gradient(loss, arrays), arrays)

    return step


def report(case, model, step):
    for batch in batches:
        step(*batch)
    mean = float(np.mean(model.get_layer("bn").moving_mean))
    inference = right(model(x, training=False))
    training = right(model(x, training=True))  # moves the statistics
    print(f"{case:11}  mean {mean:.1f}  95 % right in training:", end=" ")
    print(f"{training > 0.95}, in inference: {inference > 0.95}")


# --8<-- [end:step]

# --8<-- [start:see]
for case, second_pass in {"one pass": False, "two passes": True}.items():
    model = build()
    report(case, model, step_of(model, second_pass))
# --8<-- [end:see]

# --8<-- [start:fix]
from bn_tools import batch_norms


@contextlib.contextmanager
def statistics_kept(model):
    """Let calls in training mode normalize by the batch, and move nothing.

    Args:
        model: A Keras model that has its arrays.

    Raises:
        ValueError: A layer with ``renorm=True``, which keeps more arrays.
    """
    layers = batch_norms(model)
    if any(getattr(layer, "renorm", False) for layer in layers):
        raise ValueError("renorm=True keeps further statistics")
    momenta = [layer.momentum for layer in layers]
    try:
        for layer in layers:
            layer.momentum = 1.0  # read when the call is traced
        yield
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum


# --8<-- [end:fix]

# --8<-- [start:repaired]
model = build()
step = step_of(model, around=lambda: statistics_kept(model))
report("second kept", model, step)
# --8<-- [end:repaired]

# --8<-- [start:sure]
before = model.get_weights()
for case, around in {
    "as it is": contextlib.nullcontext(),
    "statistics_kept": statistics_kept(model),
}.items():
    with around:
        model(x[:128], training=True)
    kept = all(map(np.array_equal, before, model.get_weights()))
    model.set_weights(before)
    print(f"{case:15} arrays kept: {kept}")
# --8<-- [end:sure]
