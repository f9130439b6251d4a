# --8<-- [start:freeze]
import numpy as np
import tensorflow as tf
from tensorflow.contrib import slim

x = tf.placeholder(tf.float32, (None, 4), name="x")
is_training = tf.placeholder(tf.bool, (), name="is_training")
rng = np.random.RandomState(0)
rows = rng.normal(5, 3, size=(64, 4)).astype("float32")
for name, collection in [("inline", None), ("collected", "update_ops")]:
    layer = slim.batch_norm(
        x,
        is_training=is_training,
        updates_collections=collection,
        scope=name,
    )
    out = tf.identity(layer, name=name + "_out")
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for variable in tf.global_variables():
        variable.load(rng.uniform(0.5, 2, 4), session)
    for name in ["inline", "collected"]:
        graph = tf.graph_util.convert_variables_to_constants(
            session, session.graph.as_graph_def(), [name + "_out"]
        )
        with open(name + ".pb", "wb") as file:
            file.write(graph.SerializeToString())
    feed = {x: rows, is_training: False}
    np.savez("then.npz", x=rows, out=session.run("inline_out:0", feed))
# --8<-- [end:freeze]

# --8<-- [start:see]
import numpy as np
import tensorflow as tf


def read(path):
    with open(path, "rb") as file:
        return tf.compat.v1.GraphDef.FromString(file.read())


for name in ["collected", "inline"]:
    try:
        with tf.Graph().as_default():
            tf.graph_util.import_graph_def(read(f"{name}.pb"), name="")
        print(f"{name}: imported")
    except ValueError as error:
        print(f"{name}: ValueError:", error)
# --8<-- [end:see]

# --8<-- [start:keras]
import numpy as np
import tensorflow as tf

x = np.random.RandomState(0).normal(5, 3, size=(64, 4, 4, 1)).astype("float32")
images = tf.keras.layers.Input((4, 4, 1), name="images")
y = tf.keras.layers.Conv2D(3, 3)(images)
y = tf.keras.layers.BatchNormalization(momentum=0.9)(y)
model = tf.keras.Model(images, tf.keras.layers.Flatten(name="out")(y))
model.compile("sgd", "mse")
model.fit(x, x[:, :2, :2].reshape(64, 4).repeat(3, 1), epochs=50, verbose=0)
session = tf.keras.backend.get_session()
graph = tf.graph_util.convert_variables_to_constants(
    session, session.graph.as_graph_def(), [model.output.op.name]
)
with open("keras.pb", "wb") as file:
    file.write(graph.SerializeToString())
np.savez("keras.npz", x=x, out=model.predict(x), name=model.output.name)
try:
    with tf.Graph().as_default():
        tf.import_graph_def(graph, name="")
except ValueError as error:
    print(f"{tf.__version__}: ValueError: {error}")
# --8<-- [end:keras]

# --8<-- [start:resource]
try:
    with tf.Graph().as_default():
        tf.graph_util.import_graph_def(read("keras.pb"), name="")
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:resource]


# --8<-- [start:fix]
def without_updates(graph):
    """Let the updates in a frozen graph compute, and write nothing."""
    for node in graph.node:
        if node.op == "RefSwitch":
            node.op = "Switch"
        elif node.op in ("AssignSub", "AssignAdd"):
            node.op = node.op.removeprefix("Assign").replace("Add", "AddV2")
            node.attr.pop("use_locking", None)
    return graph


graph = without_updates(read("inline.pb"))
# --8<-- [end:fix]


# --8<-- [start:reads]
def without_reads(graph):
    """Take what a frozen graph reads from variables from its constants."""
    for node in graph.node:
        if node.op == "ReadVariableOp":
            node.op = "Identity"
            node.attr["T"].CopyFrom(node.attr.pop("dtype"))
        elif node.op == "Switch" and node.attr["T"].type == tf.resource:
            node.attr["T"].type = tf.float32.as_datatype_enum
    return graph


of_keras = without_reads(read("keras.pb"))
# --8<-- [end:reads]

# --8<-- [start:sure]
then = np.load("then.npz")
with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    tf.graph_util.import_graph_def(graph, name="")
    for rows in [then["x"], then["x"][:1]]:
        feed = {"x:0": rows, "is_training:0": False}
        outputs = session.run("inline_out:0", feed)
        np.testing.assert_allclose(
            outputs, then["out"][: len(rows)], rtol=1e-5, atol=1e-5
        )
        print(len(rows), "predictions as in TensorFlow 1")
# --8<-- [end:sure]

# --8<-- [start:equal]
then = np.load("keras.npz")
with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    tf.graph_util.import_graph_def(of_keras, name="")
    phase = "batch_normalization_v1/keras_learning_phase:0"
    for mode in [{}, {phase: False}, {phase: True}]:
        feed = {"images:0": then["x"], **mode}
        outputs = session.run(str(then["name"]), feed)
        equal = np.allclose(outputs, then["out"], rtol=1e-5, atol=1e-5)
        print("mode fed:", *mode.values(), "- as predicted then:", equal)
# --8<-- [end:equal]
