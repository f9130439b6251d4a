# --8<-- [start:write]
import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
rng = np.random.default_rng(0)
rows = rng.normal(3, 2, size=(64, 6, 6, 4)).astype("float32")
arrays = [rng.uniform(0.5, 2, 4).astype("float32") for _ in range(4)]
kernel = rng.normal(size=(3, 3, 4, 2)).astype("float32")


def write(path, graph):
    with open(path, "wb") as file:
        file.write(graph.SerializeToString())


with tf.Graph().as_default() as graph, v1.Session() as session:
    x = v1.placeholder("float32", (None, 6, 6, 4), name="x")
    y, *_ = v1.nn.fused_batch_norm(x, *arrays, epsilon=0.01, is_training=False)
    y = tf.nn.conv2d(y, kernel, 1, "VALID", name="out")
    np.savez("now.npz", x=rows, out=session.run(y, {x: rows}))
write("now.pb", graph.as_graph_def())
# --8<-- [end:write]

# --8<-- [start:read]
import glob
import textwrap

import numpy as np
import tensorflow as tf

now = np.load("now.npz")
for path in sorted(glob.glob("*.pb")):
    with open(path, "rb") as file:
        graph = tf.GraphDef.FromString(file.read())
    try:
        with tf.Graph().as_default(), tf.Session() as session:
            tf.import_graph_def(graph, name="")
            out = session.run("out:0", {"x:0": now["x"]})
        equal = np.allclose(out, now["out"], atol=1e-4)
        print(f"{path}: as computed today: {equal}")
    except (ValueError, tf.errors.NotFoundError) as error:
        said = str(error).partition(";")[0].partition(" in binary")[0]
        said = f"{path}: {type(error).__name__}: {said}"
        print(textwrap.fill(said, 76, subsequent_indent="    "))
# --8<-- [end:read]

# --8<-- [start:then]
print(tf.__version__)
# --8<-- [end:then]

# --8<-- [start:before]
print(tf.__version__)
# --8<-- [end:before]


# --8<-- [start:fix]
def without_defaults(graph):
    """Leave out of a graph what has its default value."""
    with tf.Graph().as_default():
        tf.graph_util.import_graph_def(graph, name="")
        return v1.train.export_meta_graph(strip_default_attrs=True).graph_def


older = without_defaults(graph.as_graph_def())
write("older.pb", older)
# --8<-- [end:fix]


# --8<-- [start:rename]
def without_v3(graph):
    """Make FusedBatchNorm of each FusedBatchNormV3, for float32 inference."""
    renamed = v1.GraphDef()
    renamed.CopyFrom(graph)
    for node in renamed.node:
        if node.op == "FusedBatchNormV3":
            mode = node.attr.get("is_training")
            if mode is None or mode.b or node.attr["T"].type != tf.float32:
                raise ValueError(
                    f"{node.name}: in training mode, or not float32"
                )
            node.op = "FusedBatchNorm"
            node.attr.pop("U", None)
    return renamed


write("oldest.pb", without_v3(older))
# --8<-- [end:rename]

# --8<-- [start:keras]
import keras
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2,
)

image = keras.Input((6, 6, 4))
y = keras.layers.BatchNormalization(epsilon=0.01)(image)
model = keras.Model(image, keras.layers.Conv2D(2, 3, use_bias=False)(y))
model.set_weights([*arrays, kernel])


@tf.function(input_signature=[tf.TensorSpec((None, 6, 6, 4), name="x")])
def call(x):
    return tf.identity(model(x, training=False), "out")


frozen = convert_variables_to_constants_v2(call.get_concrete_function())
frozen = without_defaults(frozen.graph.as_graph_def())
print(*sorted({node.op for node in frozen.node}))
write("keras.pb", frozen)
# --8<-- [end:keras]

# --8<-- [start:again]
print(tf.__version__)
# --8<-- [end:again]

# --8<-- [start:again_before]
print(tf.__version__)
# --8<-- [end:again_before]
