# --8<-- [start:recipe]
import keras
import numpy as np
import tensorflow as tf

AVERAGE = "/ExponentialMovingAverage"
SPELLINGS = {
    "kernel": ["kernel", "weights", "depthwise_kernel", "depthwise_weights"],
    "bias": ["bias", "biases"],
    "depthwise_kernel": ["depthwise_kernel", "depthwise_weights"],
    "pointwise_kernel": ["pointwise_kernel", "pointwise_weights"],
    "moving_mean": ["moving_mean", "mean/EMA"],
    "moving_variance": ["moving_variance", "variance/EMA"],
}


def read_named(model, path, scopes, averaged=False, without=()):
    """Read a TensorFlow 1 checkpoint, or raise and change nothing.

    ``scopes`` maps the path of a layer to its scope in the file, or that of an
    array to its name. ``averaged`` takes the shadow of each array that has one.
    ``without`` is a prefix, or a tuple of them, of names to leave out.
    """
    reader = tf.train.load_checkpoint(path)
    shapes = reader.get_variable_to_shape_map()
    names, problems = [], []
    for weight in model.weights:
        layer, _, kind = weight.path.rpartition("/")
        scope = scopes.get(layer, layer)
        found = [f"{scope}/{each}" for each in SPELLINGS.get(kind, [kind])]
        found = [scopes[weight.path]] if weight.path in scopes else found
        found = [name for name in found if name in shapes]
        if len(found) != 1 or found[0] in names:
            problems.append(f"{weight.path}: {found or 'not'} in the file")
            continue
        names += found
        if shapes[found[0]] != list(weight.shape):
            problems.append(f"{weight.path}: {shapes[found[0]]} in the file")
    for name, shape in shapes.items():
        extra = name.rpartition("/")[0] in shapes  # a slot or a shadow
        counter = not shape and "/" not in name  # global_step, beta1_power
        if not (name in names or extra or counter or name.startswith(without)):
            problems.append(f"{name}: not in the model")
    if averaged and not any(name + AVERAGE in shapes for name in names):
        problems.append("no averages in the file")
    if problems:
        problems = [f"{path}: nothing was read", *sorted(problems)]
        raise ValueError("\n".join(problems))
    for weight, name in zip(model.weights, names, strict=True):
        shadow = averaged and name + AVERAGE in shapes
        weight.assign(reader.get_tensor(name + AVERAGE if shadow else name))


# --8<-- [end:recipe]

# --8<-- [start:write]
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.set_random_seed(0)
images = np.random.RandomState(0).normal(5, 3, (32, 6, 6, 3))
labels = images.mean(axis=(1, 2)).argmax(axis=1)

x = tf.placeholder(tf.float32, (None, 6, 6, 3))
training = tf.placeholder(tf.bool, ())
with tf.variable_scope("net"):
    h = tf.layers.conv2d(x, 4, 3, use_bias=False, name="conv")
    h = tf.layers.batch_normalization(h, training=training, name="bn")
    h = tf.reduce_mean(tf.nn.relu(h), axis=[1, 2])
    logits = tf.layers.dense(h, 3, name="logits")
loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)
with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
    step = tf.train.get_or_create_global_step()
    train_op = tf.train.AdamOptimizer(0.05).minimize(loss, step)
average = tf.train.ExponentialMovingAverage(0.9)
with tf.control_dependencies([train_op]):
    train_op = average.apply(tf.trainable_variables())

with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for _ in range(20):
        session.run(train_op, {x: images, training: True})
    small = {"write_meta_graph": False}
    tf.train.Saver().save(session, "model.ckpt", **small)
    some = tf.train.Saver(tf.trainable_variables())
    some.save(session, "trainable.ckpt", **small)
    plain = session.run(logits, {x: images, training: False})
    names = average.variables_to_restore()
    tf.train.Saver(names).restore(session, "model.ckpt")
    averaged = session.run(logits, {x: images, training: False})
np.savez("logits.npz", x=images, plain=plain, averaged=averaged)
# --8<-- [end:write]

# --8<-- [start:list]
for name, shape in tf.train.list_variables("model.ckpt"):
    if "bn" in name or "/" not in name:
        print(name, shape)


# --8<-- [end:list]


# --8<-- [start:read]
def build():
    layers = keras.layers
    inputs = keras.Input((6, 6, 3))
    h = layers.Conv2D(4, 3, use_bias=False, name="conv")(inputs)
    h = layers.BatchNormalization(epsilon=0.001, name="bn")(h)
    h = layers.GlobalAveragePooling2D()(layers.ReLU()(h))
    return keras.Model(inputs, layers.Dense(3, name="head")(h))


model = build()
print(*[weight.path for weight in model.weights][:5])
scopes = {
    "conv": "net/conv",
    "bn": "net/bn",
    "head": "net/logits",
    "head/bias": "net/logits/bias",  # an array by its whole name
}
read_named(model, "model.ckpt", scopes)
# --8<-- [end:read]

# --8<-- [start:prove]
reader = tf.train.load_checkpoint("model.ckpt")
bn = model.get_layer("bn")
for name in ["gamma", "beta", "moving_mean", "moving_variance"]:
    saved = reader.get_tensor(f"net/bn/{name}")
    np.testing.assert_array_equal(getattr(bn, name), saved)
saved = np.load("logits.npz")
for name in ["plain", "averaged"]:
    model = build()
    before = np.allclose(model(saved["x"]), saved[name], atol=1e-4)
    read_named(model, "model.ckpt", scopes, averaged=name == "averaged")
    after = np.allclose(model(saved["x"]), saved[name], atol=1e-4)
    print(f"{name}, as TensorFlow 1: before {before}, after {after}")
# --8<-- [end:prove]

# --8<-- [start:refuse]
try:
    read_named(build(), "trainable.ckpt", scopes)
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:refuse]
