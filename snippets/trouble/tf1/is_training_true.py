# --8<-- [start:export]
import numpy as np
import tensorflow as tf


def net(x, training):
    x = tf.layers.conv2d(x, 4, 3, use_bias=False, name="conv")
    x = tf.layers.batch_normalization(x, training=training, name="bn")
    x = tf.layers.dense(tf.layers.flatten(tf.nn.relu(x)), 3, name="dense")
    return tf.layers.batch_normalization(x, training=training, name="bn_2")


rng = np.random.RandomState(0)
images = rng.normal(3, 2, size=(64, 6, 6, 1)).astype("float32")
for path, training in [("wrong.pb", True), ("right.pb", False)]:
    tf.reset_default_graph()
    tf.set_random_seed(0)
    x = tf.placeholder(tf.float32, (None, 6, 6, 1), name="x")
    out = tf.identity(net(x, training), name="out")
    saver = tf.train.Saver()
    with tf.Session() as session:
        if training:
            session.run(tf.global_variables_initializer())
            updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
            for _ in range(1500):
                session.run(updates, {x: images})
            saver.save(session, "ckpt/model")
        else:
            saver.restore(session, "ckpt/model")
        graph = tf.graph_util.convert_variables_to_constants(
            session, session.graph.as_graph_def(), ["out"]
        )
    with open(path, "wb") as file:
        file.write(graph.SerializeToString())
np.save("images.npy", images)
# --8<-- [end:export]

# --8<-- [start:see]
import numpy as np
import tensorflow as tf


def run(graph, images, fetch="out:0"):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.graph_util.import_graph_def(graph, name="")
        return session.run(fetch, {"x:0": images})


def alone_as_in_a_batch(graph):
    alone, among = run(graph, images[:1]), run(graph, images[:8])
    return np.allclose(alone, among[:1], atol=1e-4)


images = np.load("images.npy")
graphs = {}
for path in ["right.pb", "wrong.pb"]:
    with open(path, "rb") as file:
        graphs[path] = tf.compat.v1.GraphDef.FromString(file.read())
    print(path, "alone as in a batch:", alone_as_in_a_batch(graphs[path]))
# --8<-- [end:see]

# --8<-- [start:attribute]
changed = tf.compat.v1.GraphDef()
changed.CopyFrom(graphs["wrong.pb"])
for node in changed.node:
    if node.op.startswith("FusedBatchNorm"):
        node.attr["is_training"].b = False
try:
    run(changed, images)
except ValueError as error:
    print("ValueError:", str(error).partition(" for ")[0])
# --8<-- [end:attribute]

# --8<-- [start:why]
for path, graph in graphs.items():
    for node in graph.node:
        if node.op.startswith("FusedBatchNorm"):
            print(path, node.name, node.attr["is_training"].b, node.input[3])
        elif node.name.endswith("batchnorm/mul_2"):
            print(path, node.name, node.input[0])
# --8<-- [end:why]


# --8<-- [start:fix]
def make_constant(node, array):
    node.op = "Const"
    del node.input[:]
    node.attr.clear()
    node.attr["dtype"].type = tf.float32.as_datatype_enum
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(array))


def with_statistics(graph, images):
    """Return the graph in inference mode, with the statistics of ``images``."""
    fetches = {}
    for node in graph.node:
        if node.op.startswith("FusedBatchNorm") and node.attr["is_training"].b:
            fetches[node.name] = f"{node.name}:1", f"{node.name}:2"
        elif node.op == "Squeeze" and "/moments/" in node.name:
            fetches[node.name] = f"{node.name}:0"
    values = run(graph, images, fetches)
    repaired = tf.compat.v1.GraphDef()
    repaired.CopyFrom(graph)
    for node in list(repaired.node):
        if node.name in values and node.op == "Squeeze":
            make_constant(node, values[node.name])
        elif node.name in values:
            node.attr["is_training"].b = False
            for i, array in enumerate(values[node.name], 3):
                node.input[i] = f"{node.name}/statistics_{i}"
                make_constant(repaired.node.add(name=node.input[i]), array)
    return repaired


repaired = with_statistics(graphs["wrong.pb"], images)
# --8<-- [end:fix]

# --8<-- [start:sure]
print("alone as in a batch:", alone_as_in_a_batch(repaired))
off = np.abs(run(repaired, images) - run(graphs["right.pb"], images))
print("as exported in inference mode, to 0.01:", off.max() < 0.01)
# --8<-- [end:sure]
