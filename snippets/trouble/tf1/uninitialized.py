# --8<-- [start:freeze]
import numpy as np
import tensorflow as tf


def net(x, training):
    x = tf.layers.conv2d(x, 4, 3, use_bias=False, name="conv")
    x = tf.layers.batch_normalization(x, training=training, name="bn")
    return tf.identity(x, name="out")


rng = np.random.RandomState(0)
images = rng.normal(3, 2, size=(64, 6, 6, 1)).astype("float32")
for training in [True, False]:
    tf.reset_default_graph()
    tf.set_random_seed(0)
    x = tf.placeholder(tf.float32, (None, 6, 6, 1), name="x")
    out = net(x, training)
    saver = tf.train.Saver()
    with tf.Session() as session:
        if training:
            session.run(tf.global_variables_initializer())
            updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
            for _ in range(1500):
                session.run(updates, {x: images})
            saver.save(session, "ckpt/model")
            continue
        saver.restore(session, "ckpt/model")
        trained = [v.op.name for v in tf.trainable_variables()]
        for path, names in [("listed.pb", trained), ("all.pb", None)]:
            graph = tf.graph_util.convert_variables_to_constants(
                session,
                session.graph.as_graph_def(),
                ["out"],
                variable_names_whitelist=names,  # the culprit, if not None
            )
            with open(path, "wb") as file:
                file.write(graph.SerializeToString())
        np.savez("then.npz", x=images, out=session.run(out, {x: images}))
# --8<-- [end:freeze]

# --8<-- [start:see]
import numpy as np
import tensorflow as tf


def read(path):
    with open(path, "rb") as file:
        return tf.compat.v1.GraphDef.FromString(file.read())


def run(graph, images):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.graph_util.import_graph_def(graph, name="")
        return session.run("out:0", {"x:0": images})


then = np.load("then.npz")
for path in ["all.pb", "listed.pb"]:
    try:
        equal = np.allclose(run(read(path), then["x"]), then["out"], atol=1e-4)
        print(f"{path}: as in TensorFlow 1: {equal}")
    except tf.errors.FailedPreconditionError as error:
        [said] = {
            line.split(" value ")[0]
            for line in str(error).splitlines()
            if line.startswith("Attempting")
        }
        print(f"{path}: FailedPreconditionError: ...\n{said} value")
# --8<-- [end:see]

# --8<-- [start:why]
for path in ["all.pb", "listed.pb"]:
    variables = [n.name for n in read(path).node if n.op == "VariableV2"]
    print(path, variables)
# --8<-- [end:why]

# --8<-- [start:fix]
graph, checkpoint = read("listed.pb"), tf.train.load_checkpoint("ckpt/model")
for node in graph.node:
    if node.op == "VariableV2":
        array = checkpoint.get_tensor(node.name)
        node.op = "Const"
        dtype = node.attr["dtype"].type
        node.attr.clear()
        node.attr["dtype"].type = dtype
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(array))
    if "_class" in node.attr:  # it names the variable
        node.attr.pop("_class")
# --8<-- [end:fix]

# --8<-- [start:sure]
for rows in [then["x"], then["x"][:1]]:
    outputs = run(graph, rows)
    equal = np.allclose(outputs, then["out"][: len(rows)], atol=1e-4)
    print(f"{len(rows)} rows as in TensorFlow 1: {equal}")
# --8<-- [end:sure]
