"""Train small models in every way that versions differ in; print what it did, as JSON.

A script: it runs as ``__main__`` in an empty folder, under the Keras that is installed.
The result maps each question to the answer of this version.
"""

import json

import keras
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
two = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, two)

x = np.random.default_rng(0).normal(5.0, 3.0, (64, 4)).astype("float32")
y = x.sum(axis=1, keepdims=True)


class Norm(keras.Model):
    """A model of one layer; the classes below call it in different ways."""

    def __init__(self):
        """Create the layer."""
        super().__init__()
        self.bn = keras.layers.BatchNormalization()


class FalseInCall(Norm):
    """Calls the layer in inference mode."""

    def call(self, x, training=False):
        """Normalize by the moving statistics, always."""
        return self.bn(x, training=False)


class NoTraining(Norm):
    """Does not take `training`."""

    def call(self, x):
        """Leave the mode to the layer."""
        return self.bn(x)


class NotPassedOn(Norm):
    """Takes `training` and does nothing with it."""

    def call(self, x, training=False):
        """Leave the mode to the layer."""
        return self.bn(x)


class OwnStep(NoTraining):
    """Does not take `training`, but has a step that passes it."""

    def train_step(self, data):
        """Take one step in training mode."""
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x=x, y=y, y_pred=self(x, training=True))
        variables = self.trainable_variables
        gradients = tape.gradient(loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return {"loss": loss}


class Inner(keras.layers.Layer):
    """A layer that does not take `training`."""

    def __init__(self):
        """Create the layer inside."""
        super().__init__()
        self.bn = keras.layers.BatchNormalization()

    def call(self, x):
        """Leave the mode to the layer inside."""
        return self.bn(x)


def functional(layer, **arguments):
    """Return a functional model that calls a layer with these arguments."""
    inputs = keras.Input(shape=(4,))
    outputs = keras.layers.Dense(1)(layer(inputs, **arguments))
    return keras.Model(inputs, outputs)


def after_fit(model, bn):
    """Say whether a step of `fit` moves the statistics of a layer."""
    model.compile(optimizer="sgd", loss="mean_squared_error")
    model.fit(x, y, batch_size=64, epochs=1, verbose=0)
    return "kept" if not np.any(np.asarray(bn.moving_mean)) else "moved"


def false_in_functional():
    """functional model, `bn(x, training=False)`, `fit`"""
    bn = keras.layers.BatchNormalization()
    return after_fit(functional(bn, training=False), bn)


def false_for_the_base():
    """functional model, `base(x, training=False)`, `fit`"""
    bn = keras.layers.BatchNormalization()
    base = keras.Sequential([keras.Input(shape=(4,)), bn])
    return after_fit(functional(base, training=False), bn)


def false_in_call():
    """class, `self.bn(x, training=False)` in `call`, `fit`"""
    model = FalseInCall()
    return after_fit(model, model.bn)


def not_trainable():
    """`bn.trainable = False`, compiled, `fit`"""
    bn = keras.layers.BatchNormalization(trainable=False)
    return after_fit(functional(bn), bn)


def no_training():
    """class, `call(self, x)`, `fit`"""
    model = NoTraining()
    return after_fit(model, model.bn)


def own_step():
    """class, `call(self, x)`, own `train_step` with `self(x, training=True)`"""
    model = OwnStep()
    return after_fit(model, model.bn)


def not_passed_on():
    """class, `call(self, x, training=False)`, not passed on, `fit`"""
    model = NotPassedOn()
    return after_fit(model, model.bn)


def inner_layer():
    """layer of your own, `call(self, x)`, in a functional model, `fit`"""
    inner = Inner()
    return after_fit(functional(inner), inner.bn)


def resumed_h5():
    """`.h5`, loaded with `load_model`, `fit`"""
    model = functional(keras.layers.BatchNormalization())
    model.compile(optimizer="adam", loss="mean_squared_error")
    model.fit(x, y, verbose=0)
    model.save("model.h5")
    keras.models.load_model("model.h5").fit(x, y, verbose=0)
    return "continues"


def images_divide_by():
    """images: `moving_variance` divides by"""
    bn = keras.layers.BatchNormalization(momentum=0.0)
    bn(x[:8].reshape(2, 2, 2, 4), training=True)
    stored, biased = np.asarray(bn.moving_variance), x[:8].var(axis=0)
    answers = {"N": biased, "N - 1": biased * 8 / 7}
    return next(a for a, v in answers.items() if np.allclose(stored, v, rtol=1e-3))


def masked():
    """`Masking` before the layer: padded steps in `moving_mean`"""
    bn = keras.layers.BatchNormalization(momentum=0.0)
    inputs = keras.Input(shape=(2, 1))
    model = keras.Model(inputs, bn(keras.layers.Masking()(inputs)))
    model(np.array([[[1.0], [0.0]]], "float32"), training=True)
    mean = round(float(np.asarray(bn.moving_mean)[0]), 2)
    return {1.0: "left out", 0.5: "counted"}[mean]


def half_precision():
    """policy `float16`: type of `moving_mean`"""
    bn = keras.layers.BatchNormalization(dtype="float16")
    bn.build((None, 4))
    return np.asarray(bn.moving_mean).dtype.name


def session(collect):
    """Train in a session; `collect` returns what the train op has to wait for."""
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as running:
        outputs = v1.layers.batch_normalization(tf.constant(x), training=True)
        with tf.control_dependencies(collect(v1)):
            train_op = v1.train.GradientDescentOptimizer(0.1).minimize(
                tf.reduce_mean(outputs**2)
            )
        running.run(v1.global_variables_initializer())
        running.run(train_op)
        arrays = {array.op.name: array for array in v1.global_variables()}
        mean = running.run(arrays["batch_normalization/moving_mean"])
    return "kept" if not np.any(mean) else "moved"


def without_update_ops():
    """`tf.compat.v1.layers` in a session, `train_op` alone"""
    return session(lambda v1: [])


def with_update_ops():
    """the same, `train_op` after the `UPDATE_OPS`"""
    return session(lambda v1: v1.get_collection(v1.GraphKeys.UPDATE_OPS))


def replicas():
    """`MirroredStrategy`: the `moving_mean` that is read"""
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        bn = keras.layers.BatchNormalization(momentum=0.0)
        bn.build((None, 1))
    batches = [tf.zeros((4, 1)), tf.ones((4, 1))]
    values = strategy.experimental_distribute_values_from_function(
        lambda context: batches[context.replica_id_in_sync_group]
    )
    step = tf.function(lambda batch: strategy.run(bn, (batch,), {"training": True}))
    step(values)
    read = round(float(np.asarray(bn.moving_mean)[0]), 2)
    return {0.0: "first replica's", 0.5: "mean of all"}[read]


QUESTIONS = [
    no_training,
    own_step,
    not_passed_on,
    inner_layer,
    false_in_functional,
    false_for_the_base,
    false_in_call,
    not_trainable,
    resumed_h5,
    images_divide_by,
    masked,
    half_precision,
    replicas,
    without_update_ops,
    with_update_ops,
]

if __name__ == "__main__":
    answers = {}
    for question in QUESTIONS:
        try:
            answers[question.__doc__] = question()
        except Exception:
            answers[question.__doc__] = "raises"
    print(json.dumps(answers))
