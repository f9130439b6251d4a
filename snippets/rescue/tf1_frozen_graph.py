# --8<-- [start:read]
import keras
import numpy as np
import tensorflow as tf

READS = ("Enter", "Identity", "Merge", "ReadVariableOp", "Reshape", "Switch")


def batch_norms(graph):
    """Return four arrays and epsilon of each layer, by the layer's name."""
    nodes = {node.name: node for node in graph.node}

    def source(name):
        node = nodes[name.partition(":")[0]]
        return source(node.input[0]) if node.op in READS else node

    def array(name):
        node = source(name)
        if node.op == "Const":
            return tf.make_ndarray(node.attr["value"].tensor)

    def users(node):
        return [n for n in graph.node if node.name in n.input]

    def other(node, known):
        names = [name for name in node.input if name != known.name]
        return names[0] if names else known.name

    found, training, both, unread = {}, set(), set(), set()
    for node in graph.node:
        scale = shift = mean = None
        if node.op.startswith("FusedBatchNorm"):
            layer = node.name.partition("/FusedBatchNorm")[0]
            scale, shift, mean, variance = node.input[1:5]
            given = node.attr  # a default may be left out
            epsilon = given["epsilon"].f if "epsilon" in given else 1e-4
            in_training = "is_training" not in given or given["is_training"].b
        elif node.op == "Rsqrt" and nodes[node.input[0]].op in ("Add", "AddV2"):
            layer = node.name.removesuffix("/Rsqrt").removesuffix("/batchnorm")
            variance, epsilon = nodes[node.input[0]].input
            epsilon = array(epsilon)
            in_training = array(variance) is None
            factor = node
            if len(users(node)) == 1:
                factor = users(node)[0]
                scale = other(factor, node)
            for product in users(factor):
                moving = source(other(product, factor))
                if moving.op in ("Const", "Neg"):
                    mean = (
                        moving.input[0] if moving.op == "Neg" else moving.name
                    )
                    last = users(product)[0]
                    shift = last.input[0] if last.op == "Sub" else None
        else:
            continue
        layer = layer.removesuffix("/cond")
        if in_training:
            training.add(layer)
            continue
        if "/cond" in node.name:
            both.add(layer)
        if layer in found:  # two in one scope
            layer = node.name
        mean = None if mean is None else array(mean)
        arrays = {
            "gamma": np.ones_like(mean) if scale is None else array(scale),
            "beta": np.zeros_like(mean) if shift is None else array(shift),
            "moving_mean": mean,
            "moving_variance": array(variance),
        }
        shapes = {np.shape(each) for each in arrays.values()}
        if len(shapes) > 1 or () in shapes:
            unread.add(layer)
            continue
        found[layer] = {**arrays, "epsilon": float(epsilon)}
    # With a placeholder is_training, a layer has a node for each mode.
    if training - both:
        raise ValueError(f"in training mode: {sorted(training - both)}")
    if unread:
        raise ValueError(f"of another arithmetic, not read: {sorted(unread)}")
    return found


# --8<-- [end:read]

# --8<-- [start:freeze]
import numpy as np
import tensorflow as tf


def net(x):
    x = tf.layers.conv2d(x, 4, 3, use_bias=False, name="conv")
    x = tf.layers.batch_normalization(x, name="bn", epsilon=0.01)
    x = tf.layers.flatten(tf.nn.relu(x))
    x = tf.layers.dense(x, 5, name="dense")
    x = tf.layers.batch_normalization(x, name="bn_2")
    return tf.layers.dense(x, 3, name="head")


rng = np.random.RandomState(0)
images = rng.normal(size=(32, 6, 6, 1)).astype("float32")
x = tf.placeholder(tf.float32, (None, 6, 6, 1), name="x")
out = tf.identity(net(x), name="out")
with tf.Session() as session:
    for variable in tf.global_variables():  # in place of training
        variable.load(rng.uniform(0.5, 2, variable.shape.as_list()), session)
    graph = tf.graph_util.convert_variables_to_constants(
        session, session.graph.as_graph_def(), ["out"]
    )
    arrays = {v.op.name: session.run(v) for v in tf.global_variables()}
    np.savez("then.npz", x=images, out=session.run(out, {x: images}), **arrays)
with open("frozen.pb", "wb") as file:
    file.write(graph.SerializeToString())
# --8<-- [end:freeze]

# --8<-- [start:find]
with open("frozen.pb", "rb") as file:
    graph = tf.compat.v1.GraphDef.FromString(file.read())

found = batch_norms(graph)
for name, arrays in found.items():
    print(name, arrays["gamma"].shape, f"epsilon {arrays['epsilon']:.3f}")
# --8<-- [end:find]

# --8<-- [start:others]
constants = {
    node.name: tf.make_ndarray(node.attr["value"].tensor)
    for node in graph.node
    if node.op == "Const"
}
for name, array in constants.items():
    if array.ndim and array.dtype == "float32":
        print(f"{name:20} {array.shape}")
# --8<-- [end:others]

# --8<-- [start:move]
model = keras.Sequential(
    [
        keras.Input((6, 6, 1)),
        keras.layers.Conv2D(4, 3, use_bias=False, name="conv"),
        keras.layers.BatchNormalization(epsilon=0.01, name="bn"),
        keras.layers.ReLU(),
        keras.layers.Flatten(),
        keras.layers.Dense(5, name="dense"),
        keras.layers.BatchNormalization(epsilon=0.001, name="bn_2"),
        keras.layers.Dense(3, name="head"),
    ]
)
for layer in model.layers:
    if layer.name in found:
        arrays = dict(found[layer.name])
        assert np.isclose(layer.epsilon, arrays.pop("epsilon"))
        layer.set_weights(list(arrays.values()))
    elif layer.weights:
        names = [f"{layer.name}/{weight.name}" for weight in layer.weights]
        layer.set_weights([constants[name] for name in names])
# --8<-- [end:move]


# --8<-- [start:run]
def run(graph, inputs, output):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.graph_util.import_graph_def(graph, name="")
        return session.run(output, inputs)


# --8<-- [end:run]

# --8<-- [start:prove]
then = np.load("then.npz")
outputs = run(graph, {"x:0": then["x"]}, "out:0")
np.testing.assert_allclose(outputs, then["out"], rtol=1e-5, atol=1e-4)

for layer in model.layers:
    for weight in layer.weights:
        np.testing.assert_array_equal(
            weight, then[f"{layer.name}/{weight.name}"]
        )
np.testing.assert_allclose(
    model(then["x"], training=False), outputs, rtol=1e-5, atol=1e-4
)
print(len(model.weights), "arrays equal, and", len(outputs), "predictions")
# --8<-- [end:prove]
