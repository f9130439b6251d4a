# --8<-- [start:fold]
import numpy as np
import tensorflow as tf
from tensorflow.tools.graph_transforms import TransformGraph

rng = np.random.RandomState(0)
images = rng.normal(size=(32, 6, 6, 1)).astype("float32")
x = tf.placeholder(tf.float32, (None, 6, 6, 1), name="x")
h = tf.layers.conv2d(x, 4, 3, use_bias=False, name="conv")
h = tf.layers.batch_normalization(h, fused=False, name="bn")
out = tf.nn.relu(h, name="out")
with tf.Session() as session:
    for variable in tf.global_variables():  # in place of training
        variable.load(rng.uniform(0.5, 2, variable.shape.as_list()), session)
    graph = tf.graph_util.convert_variables_to_constants(
        session, session.graph.as_graph_def(), ["out"]
    )
    np.savez("then.npz", x=images, out=session.run(out, {x: images}))
steps = ["fold_constants(ignore_errors=true)", "fold_batch_norms"]
folded = TransformGraph(graph, ["x"], ["out"], steps)
for path, written in [("frozen.pb", graph), ("folded.pb", folded)]:
    with open(path, "wb") as file:
        file.write(written.SerializeToString())
# --8<-- [end:fold]

# --8<-- [start:see]
import keras
import numpy as np
import tensorflow as tf


def arrays_of(path):
    with open(path, "rb") as file:
        graph = tf.compat.v1.GraphDef.FromString(file.read())
    constants = [node for node in graph.node if node.op == "Const"]
    arrays = {
        node.name: tf.make_ndarray(node.attr["value"].tensor)
        for node in constants
    }
    return {name: array for name, array in arrays.items() if array.ndim}


for path in ["frozen.pb", "folded.pb"]:
    print(path)
    for name, array in arrays_of(path).items():
        print(f"  {name:24} {array.shape}")
# --8<-- [end:see]

# --8<-- [start:fix]
kernel, bias = sorted(
    arrays_of("folded.pb").values(), key=lambda array: -array.ndim
)
model = keras.Sequential(
    [
        keras.Input((6, 6, 1)),
        keras.layers.Conv2D(4, 3, name="conv"),
        keras.layers.ReLU(),
    ]
)
model.get_layer("conv").set_weights([kernel, bias])
# --8<-- [end:fix]

# --8<-- [start:sure]
then = np.load("then.npz")
np.testing.assert_allclose(
    model(then["x"], training=False), then["out"], rtol=1e-5, atol=1e-5
)
print(len(then["x"]), "predictions as before folding")

arrays = arrays_of("frozen.pb")
factor = arrays["bn/gamma"] / np.sqrt(arrays["bn/moving_variance"] + 0.001)
bias = arrays["bn/beta"] - factor * arrays["bn/moving_mean"]
folded_by_hand = [arrays["conv/kernel"] * factor, bias]
for ours, theirs in zip(folded_by_hand, model.get_weights(), strict=True):
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
print("what folding did: the kernel times a factor, and a bias")
# --8<-- [end:sure]
