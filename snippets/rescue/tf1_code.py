# --8<-- [start:legacy]
import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # before TensorFlow is imported
# --8<-- [end:legacy]

# --8<-- [start:program]
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
rng = np.random.RandomState(0)
y = np.arange(300) % 3
x = rng.normal(1000, 5, size=(300, 8)) + 20 * np.eye(3, 8)[y]


def net(x, training):
    x = tf.layers.batch_normalization(x, training=training, name="bn")
    x = tf.layers.dense(x, 16, name="dense")
    return tf.layers.dense(tf.nn.relu(x), 3, name="head")


def train(collect):
    tf.reset_default_graph()
    tf.set_random_seed(0)
    inputs = tf.placeholder(tf.float32, (None, 8))
    is_training = tf.placeholder(tf.bool, ())
    logits = net(inputs, is_training)
    loss = tf.losses.sparse_softmax_cross_entropy(y, logits)
    updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    with tf.control_dependencies(updates if collect else []):
        train_op = tf.train.AdamOptimizer(0.01).minimize(loss)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for _ in range(1000):
            session.run(train_op, {inputs: x, is_training: True})
        outputs = session.run(logits, {inputs: x, is_training: False})
        arrays = {
            variable.op.name: session.run(variable)
            for variable in tf.global_variables("(dense|bn|head)/[a-z_]+:")
        }
        session.run(updates, {inputs: x, is_training: True})
        arrays["next_mean"] = session.run("bn/moving_mean:0")
    accuracy = np.mean(outputs.argmax(1) == y)
    print(f"updates run: {collect}, accuracy above 0.9: {accuracy > 0.9}")
    return dict(arrays, x=x, outputs=outputs)


train(collect=False)
trained = train(collect=True)
# --8<-- [end:program]

# --8<-- [start:today]
np.savez("trained.npz", **trained)
# --8<-- [end:today]

# --8<-- [start:then]
print(tf.__version__)
# --8<-- [end:then]


# --8<-- [start:layer]
import numpy as np
import tensorflow as tf

v1 = tf.compat.v1


def batch_normalization(x, training, name, momentum=0.99, epsilon=0.001):
    """What tf.layers.batch_normalization computes, along the last axis."""
    axes, size = list(range(len(x.shape) - 1)), x.shape[-1]
    with v1.variable_scope(name):
        zeros, ones = v1.zeros_initializer(), v1.ones_initializer()
        gamma = v1.get_variable("gamma", size, initializer=ones)
        beta = v1.get_variable("beta", size, initializer=zeros)
        moving = [
            v1.get_variable(key, size, initializer=start, trainable=False)
            for key, start in [
                ("moving_mean", zeros),
                ("moving_variance", ones),
            ]
        ]
        used = [
            tf.where(training, new, old)
            for old, new in zip(moving, tf.nn.moments(x, axes), strict=True)
        ]
        for old, new in zip(moving, used, strict=True):
            update = v1.assign_add(old, (1 - momentum) * (new - old))
            v1.add_to_collection(v1.GraphKeys.UPDATE_OPS, update)
        return tf.nn.batch_normalization(x, *used, beta, gamma, epsilon)


# --8<-- [end:layer]


# --8<-- [start:use]
def dense(x, units, name):
    with v1.variable_scope(name):
        kernel = v1.get_variable("kernel", (x.shape[-1], units))
        return x @ kernel + v1.get_variable("bias", units)


then = np.load("trained.npz")
with tf.Graph().as_default(), v1.Session() as session:
    inputs = v1.placeholder(tf.float32, (None, 8))
    is_training = v1.placeholder(tf.bool, ())
    h = batch_normalization(inputs, is_training, "bn")
    logits = dense(tf.nn.relu(dense(h, 16, "dense")), 3, "head")
    for variable in v1.global_variables():  # as v1.train.Saver().restore does
        variable.load(then[variable.op.name], session)
    outputs = session.run(logits, {inputs: then["x"], is_training: False})
    updates = v1.get_collection(v1.GraphKeys.UPDATE_OPS)
    session.run(updates, {inputs: then["x"], is_training: True})
    (mean,) = session.run(v1.global_variables("bn/moving_mean"))
np.testing.assert_allclose(outputs, then["outputs"], rtol=1e-4, atol=1e-3)
np.testing.assert_allclose(mean, then["next_mean"], rtol=1e-4, atol=1e-3)
print(len(outputs), "predictions and the next moving mean agree")
# --8<-- [end:use]

# --8<-- [start:move]
import keras

model = keras.Sequential(
    [
        keras.Input((8,)),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.Dense(16, activation="relu", name="dense"),
        keras.layers.Dense(3, name="head"),
    ]
)
for layer in model.layers:
    names = [f"{layer.name}/{weight.name}" for weight in layer.weights]
    layer.set_weights([then[name] for name in names])
# --8<-- [end:move]

# --8<-- [start:prove]
for layer in model.layers:
    for weight in layer.weights:
        np.testing.assert_array_equal(
            weight, then[f"{layer.name}/{weight.name}"]
        )
np.testing.assert_allclose(
    model(then["x"], training=False), then["outputs"], rtol=1e-4, atol=1e-3
)
print(len(model.weights), "arrays equal, and", len(then["x"]), "predictions")
print("moving_mean still 0:", not np.any(model.get_layer("bn").moving_mean))
# --8<-- [end:prove]
