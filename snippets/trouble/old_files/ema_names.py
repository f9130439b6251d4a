# --8<-- [start:write]
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.set_random_seed(0)
data = np.random.RandomState(0).normal(5, 3, (64, 4))

x = tf.placeholder(tf.float32, (None, 4))
training = tf.placeholder(tf.bool, ())
h = tf.layers.dense(x, 4, name="dense")
y = tf.layers.batch_normalization(h, training=training, name="bn")
loss = tf.reduce_mean((y - x) ** 2)
with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
    train_op = tf.train.AdamOptimizer(0.1).minimize(loss)
average = tf.train.ExponentialMovingAverage(0.9)
with tf.control_dependencies([train_op]):
    train_op = average.apply(tf.trainable_variables())

with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for _ in range(20):
        session.run(train_op, {x: data, training: True})
    saver = tf.train.Saver()
    saver.save(session, "model.ckpt", write_meta_graph=False)
    # As evaluation scripts of TensorFlow 1 do:
    names = average.variables_to_restore()
    tf.train.Saver(names).restore(session, "model.ckpt")
    np.savez("y.npz", x=data, y=session.run(y, {x: data, training: False}))
# --8<-- [end:write]

# --8<-- [start:see]
import keras
import numpy as np
import tensorflow as tf

model = keras.Sequential(
    [
        keras.Input((4,)),
        keras.layers.Dense(4, name="dense"),
        keras.layers.BatchNormalization(name="bn"),
    ],
)
reader = tf.train.load_checkpoint("model.ckpt")
saved = np.load("y.npz")


def name_of(weight):
    return "/".join(weight.path.split("/")[-2:])


def same():
    y = model(saved["x"], training=False)
    return np.allclose(y, saved["y"], atol=1e-4)


for weight in model.weights:
    weight.assign(reader.get_tensor(name_of(weight)))
print("as in TensorFlow 1:", same())
# --8<-- [end:see]

# --8<-- [start:why]
for name, _ in tf.train.list_variables("model.ckpt"):
    if name.startswith("bn") and "Adam" not in name:
        print(name)
# --8<-- [end:why]

# --8<-- [start:fix]
shapes = reader.get_variable_to_shape_map()
for weight in model.weights:
    name = name_of(weight)
    shadow = f"{name}/ExponentialMovingAverage"
    weight.assign(reader.get_tensor(shadow if shadow in shapes else name))
# --8<-- [end:fix]

# --8<-- [start:sure]
print("as in TensorFlow 1:", same())
# --8<-- [end:sure]
