# --8<-- [start:export]
import numpy as np
import tensorflow as tf


def net(x, training):
    x = tf.layers.conv2d(x, 4, 3, use_bias=False, name="conv")
    x = tf.layers.batch_normalization(x, training=training, name="bn")
    x = tf.layers.conv2d(tf.nn.relu(x), 3, 4, use_bias=False, name="last")
    x = tf.layers.batch_normalization(x, training=training, name="bn_2")
    return tf.reshape(x, (-1, 3))


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

# --8<-- [start:why]
for path, graph in graphs.items():
    for node in graph.node:
        if node.op.startswith("FusedBatchNorm"):
            print(path, node.name, node.attr["is_training"].b, node.input[3])
# --8<-- [end:why]


# --8<-- [start:fix]
def with_statistics(graph, images):
    """Return the graph in inference mode, with the statistics of ``images``."""
    names = [
        node.name
        for node in graph.node
        if node.op.startswith("FusedBatchNorm") and node.attr["is_training"].b
    ]
    # Mean and variance of the batch are the second and third output.
    moments = run(graph, images, {n: (f"{n}:1", f"{n}:2") for n in names})
    repaired = tf.compat.v1.GraphDef()
    repaired.CopyFrom(graph)
    for node in repaired.node:
        if node.name in moments:
            node.attr["is_training"].b = False
            for i, array in enumerate(moments[node.name], 3):
                name = f"{node.name}/statistics_{i}"
                constant = repaired.node.add(op="Const", name=name)
                constant.attr["dtype"].type = tf.float32.as_datatype_enum
                tensor = tf.make_tensor_proto(array)
                constant.attr["value"].tensor.CopyFrom(tensor)
                node.input[i] = name
    return repaired


repaired = with_statistics(graphs["wrong.pb"], images)
# --8<-- [end:fix]

# --8<-- [start:sure]
print("alone as in a batch:", alone_as_in_a_batch(repaired))
off = np.abs(run(repaired, images) - run(graphs["right.pb"], images))
print("as exported in inference mode, within 1 %:", off.max() < 0.01)
# --8<-- [end:sure]
