# --8<-- [start:export]
import numpy as np
import tensorflow as tf

rng = np.random.RandomState(0)
images = rng.normal(3, 2, size=(64, 6, 6, 1)).astype("float32")
session = tf.keras.backend.get_session()
then = {"images": images}


def freeze(path, out, feeds):
    then[path] = session.run(out, feeds)
    graph = tf.graph_util.convert_variables_to_constants(
        session, session.graph.as_graph_def(), [out.op.name]
    )
    with open(path, "wb") as file:
        file.write(graph.SerializeToString())


x = tf.placeholder(tf.float32, (None, 6, 6, 1), name="x")
is_training = tf.placeholder(tf.bool, (), name="is_training")
y = tf.layers.conv2d(x, 4, 3, use_bias=False)
y = tf.nn.relu(tf.layers.batch_normalization(y, training=is_training))
y = tf.layers.dropout(tf.layers.flatten(y), 0.5, training=is_training)
y = tf.layers.batch_normalization(tf.layers.dense(y, 3), training=is_training)
out = tf.identity(y, name="out")
updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
session.run(tf.global_variables_initializer())
for _ in range(500):
    session.run(updates, {x: images, is_training: True})
freeze("layers.pb", out, {x: images, is_training: False})

inputs = tf.keras.Input((6, 6, 1), name="images")
y = tf.keras.layers.Conv2D(4, 3)(inputs)
y = tf.keras.layers.BatchNormalization(momentum=0.9)(y)
y = tf.keras.layers.Dropout(0.5)(tf.keras.layers.Flatten()(y))
model = tf.keras.Model(inputs, tf.keras.layers.Dense(3)(y))
model.compile("sgd", "mse")
model.fit(images, images[:, 0, :3, 0], epochs=50, verbose=0)
freeze("keras.pb", tf.identity(model.output, "scores"), {inputs: images})
np.savez("then.npz", **then)
# --8<-- [end:export]

# --8<-- [start:see]
import numpy as np
import tensorflow as tf


def run(graph, out, feeds):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.graph_util.import_graph_def(graph, name="")
        return session.run(out, feeds)


def read(path):
    with open(path, "rb") as file:
        return tf.compat.v1.GraphDef.FromString(file.read())


then = np.load("then.npz")
x = then["images"]
layers, keras = read("layers.pb"), read("keras.pb")
try:
    run(layers, "out:0", {"x:0": x})
except tf.errors.InvalidArgumentError as error:
    said = [s for s in str(error).splitlines() if s.startswith("You must")]
    print(f"InvalidArgumentError: ... {said[0][:44]}\n   {said[0][44:]}")
for mode in [False, True]:
    y = run(layers, "out:0", {"x:0": x, "is_training:0": mode})
    equal = np.allclose(y, then["layers.pb"], atol=1e-4)
    print(f"layers.pb, fed with {mode}: {equal}")
y = run(keras, "scores:0", {"images:0": x})
equal = np.allclose(y, then["keras.pb"], atol=1e-4)
print("keras.pb, fed with nothing:", equal)
# --8<-- [end:see]

# --8<-- [start:convert]
import contextlib
import io

import onnxruntime
import openvino
import tf2onnx
from ai_edge_litert.interpreter import Interpreter


def onnx(graph, inputs, out):
    names = [f"{name}:0" for name in inputs]
    net, _ = tf2onnx.convert.from_graph_def(
        graph, input_names=names, output_names=[out], opset=15
    )
    session = onnxruntime.InferenceSession(net.SerializeToString())
    taken = [i.name for i in session.get_inputs()]
    branches = "If" in {node.op_type for node in net.graph.node}
    return taken, branches, lambda x: session.run([out], {names[0]: x})[0]


def ir(graph, inputs, out):
    with open("graph.pb", "wb") as file:
        file.write(graph.SerializeToString())
    net = openvino.convert_model("graph.pb")
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(net, "CPU", exact)
    taken = [i.any_name for i in net.inputs]
    branches = "If" in {op.get_type_name() for op in net.get_ops()}
    return taken, branches, lambda x: compiled(x)[0]


def function(graph, inputs, out):
    wrapped = tf.compat.v1.wrap_function(
        lambda: tf.graph_util.import_graph_def(graph, name=""), []
    )
    return wrapped.prune([f"{name}:0" for name in inputs], out)


def litert(graph, inputs, out):
    call = function(graph, inputs, out)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([call], call)
    content = converter.convert()
    runner = Interpreter(model_content=content)
    taken = [i["name"] for i in runner.get_input_details()]
    with contextlib.redirect_stdout(io.StringIO()) as text:
        tf.lite.experimental.Analyzer.analyze(model_content=content)
    branches = " IF(" in text.getvalue()

    def predict(x):
        index = runner.get_input_details()[0]["index"]
        runner.resize_tensor_input(index, x.shape)
        runner.allocate_tensors()
        runner.set_tensor(index, x)
        runner.invoke()
        return runner.get_tensor(runner.get_output_details()[0]["index"])

    return taken, branches, predict


# --8<-- [end:convert]

# --8<-- [start:inputs]
for convert in [onnx, ir, litert]:
    taken, branches, _ = convert(layers, ["x", "is_training"], "out:0")
    print(f"{convert.__name__:6} branches: {branches}", sorted(taken))
# --8<-- [end:inputs]


# --8<-- [start:fix]
def in_inference_mode(graph, placeholder, output):
    """Return the part of a graph that computes if the placeholder is False."""
    kept = tf.compat.v1.GraphDef()
    kept.CopyFrom(graph)
    modes = {placeholder}
    for node in kept.node:
        if node.op == "Identity" and node.input[0] in modes:
            modes.add(node.name)
    for node in kept.node:
        if node.op == "Switch" and node.input[1] not in modes:
            raise ValueError(f"{node.name} depends on {node.input[1]}")
        if node.op in {"Switch", "Merge"}:
            node.op = "Identity"
            del node.input[1:]
            node.attr.pop("N", None)
    kept = tf.compat.v1.graph_util.extract_sub_graph(kept, [output])
    if placeholder in [node.name for node in kept.node]:
        raise ValueError(f"{placeholder} is still used")
    return kept


fixed = in_inference_mode(layers, "is_training", "out")
fixed_keras = in_inference_mode(keras, "keras_learning_phase", "scores")
with open("inference.pb", "wb") as file:
    file.write(fixed.SerializeToString())
# --8<-- [end:fix]

# --8<-- [start:serve]
endpoint = function(fixed, ["x"], "out:0")
tf.saved_model.save(tf.Module(), "served/1", {"serving_default": endpoint})
served = tf.saved_model.load("served/1").signatures["serving_default"]
print("inputs:", list(served.structured_input_signature[1]))
y = next(iter(served(x=tf.constant(x)).values()))
print("as in TensorFlow 1:", np.allclose(y, then["layers.pb"], atol=1e-4))
# --8<-- [end:serve]

# --8<-- [start:sure]
cases = [
    ("layers.pb", fixed, "x", "out:0"),
    ("keras.pb", fixed_keras, "images", "scores:0"),
]
for path, graph, name, out in cases:
    expected = then[path]
    for convert in [onnx, ir, litert]:
        taken, branches, predict = convert(graph, [name], out)
        y, alone = predict(x), predict(x[:1])
        equal = np.allclose(y, expected, atol=1e-4)
        equal &= np.allclose(alone, expected[:1], atol=1e-4)
        print(f"{path} {convert.__name__:6} branches: {branches}", taken, equal)
# --8<-- [end:sure]
