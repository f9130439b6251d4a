# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
x = np.random.normal(5, 3, size=(64, 4)).astype("float32")


def by_hand(inputs):
    mean = v1.get_variable("moving_mean", 4, initializer=v1.zeros_initializer())
    batch_mean, batch_variance = tf.nn.moments(inputs, [0])
    update = v1.assign_add(mean, 0.01 * (batch_mean - mean))
    v1.add_to_collection(v1.GraphKeys.UPDATE_OPS, update)
    gamma = v1.get_variable("gamma", 4, initializer=v1.ones_initializer())
    return tf.nn.batch_normalization(
        inputs, batch_mean, batch_variance, None, gamma, 0.001
    )


def by_keras(inputs):
    return keras.layers.BatchNormalization()(inputs, training=True)


# --8<-- [end:setup]

# --8<-- [start:see]
for layer in [by_hand, by_keras]:
    with tf.Graph().as_default(), v1.Session() as session:
        inputs = v1.placeholder(tf.float32, (None, 4))
        loss = tf.reduce_mean((layer(inputs) - 1) ** 2)
        updates = v1.get_collection(v1.GraphKeys.UPDATE_OPS)
        (gamma,) = v1.global_variables(".*gamma")
        with tf.control_dependencies(updates):
            optimizer = v1.train.GradientDescentOptimizer(0.1)
            train_op = optimizer.minimize(loss, var_list=[gamma])
        session.run(v1.global_variables_initializer())
        session.run(train_op, {inputs: x})
        mean = session.run(v1.global_variables(".*moving_mean"))
        trained = session.run(gamma) != 1
    print(
        f"{layer.__name__:8} update ops: {len(updates)}, "
        f"trained: {trained.all()}, statistics moved: {np.any(mean)}"
    )
# --8<-- [end:see]

# --8<-- [start:updates]
import numpy as np
import tensorflow.compat.v1 as tf
import tf_keras

tf.disable_v2_behavior()
rows = np.random.normal(5, 3, size=(64, 4))
for name in ["UPDATE_OPS", "layer.updates"]:
    tf.reset_default_graph()
    inputs = tf.placeholder(tf.float32, (None, 4))
    layer = tf_keras.layers.BatchNormalization()
    loss = tf.reduce_mean((layer(inputs, training=True) - 1) ** 2)
    updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    if name == "layer.updates":
        updates = layer.updates
    with tf.control_dependencies(updates):
        train_op = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(train_op, {inputs: rows})
        moved = np.any(session.run(layer.moving_mean))
    print(f"{name:13} {len(updates)} updates, statistics moved: {moved}")
# --8<-- [end:updates]

# --8<-- [start:fix]
layer = keras.layers.BatchNormalization()
layer.build(x.shape)
optimizer = keras.optimizers.SGD(0.1)
with tf.GradientTape() as tape:
    loss = tf.reduce_mean((layer(x, training=True) - 1) ** 2)
gradients = tape.gradient(loss, layer.trainable_variables)
optimizer.apply(gradients, layer.trainable_variables)
# --8<-- [end:fix]

# --8<-- [start:sure]
print("trained:", np.any(layer.gamma != 1))
print("statistics moved:", np.any(layer.moving_mean))
# --8<-- [end:sure]
