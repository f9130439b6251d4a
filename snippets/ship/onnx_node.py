# --8<-- [start:layer]
import keras
import numpy as np

rng = np.random.default_rng(0)
bn = keras.layers.BatchNormalization(name="bn")
bn.build((None, 8, 8, 3))
arrays = [[0.5, 2, 3], [1, -1, 0.3], [5, -2, 1], [4, 0.5, 9]]
bn.set_weights(np.array(arrays, "float32"))

x = rng.normal(3, 2, (16, 8, 8, 3)).astype("float32")
first = x.transpose(0, 3, 1, 2)  # ONNX normalizes along axis 1
# --8<-- [end:layer]

# --8<-- [start:write]
import onnx
from onnx import helper, numpy_helper


def node_of(layer, source, *targets, **attributes):
    """Return an ONNX node for a built Keras layer, and its arrays."""
    mean = layer.moving_mean.numpy()
    named = {
        "gamma": layer.gamma.numpy() if layer.scale else np.ones_like(mean),
        "beta": layer.beta.numpy() if layer.center else np.zeros_like(mean),
        "moving_mean": mean,
        "moving_variance": layer.moving_variance.numpy(),
    }
    named = {f"{layer.name}/{key}": array for key, array in named.items()}
    node = helper.make_node(
        "BatchNormalization",
        [source, *named],
        targets,
        name=layer.name,
        epsilon=float(layer.epsilon),
        momentum=float(layer.momentum),
        **attributes,
    )
    return node, [numpy_helper.from_array(a, n) for n, a in named.items()]


# --8<-- [end:write]


# --8<-- [start:save]
def save(file, node, arrays, shapes):
    values = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name, shape in shapes.items()
    ]
    graph = helper.make_graph([node], "net", values[:1], values[1:], arrays)
    opsets = [helper.make_opsetid("", 15)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, file)


images = ["batch", 3, 8, 8]
save("bn.onnx", *node_of(bn, "x", "y"), {"x": images, "y": images})
# --8<-- [end:save]

# --8<-- [start:prove]
import onnxruntime as ort

(y,) = ort.InferenceSession("bn.onnx").run(None, {"x": first})
y = y.transpose(0, 2, 3, 1)
print("equal within 1e-4:", np.allclose(y, bn(x), rtol=1e-4, atol=1e-4))

gamma, beta, mean, variance = bn.get_weights()
for name, wrong in {
    "gamma, beta swapped": [beta, gamma, mean, variance],
    "deviation for variance": [gamma, beta, mean, np.sqrt(variance)],
    "no statistics": [gamma, beta, 0 * mean, 1 + 0 * variance],
}.items():
    bn.set_weights(wrong)
    print(f"{name}:", np.allclose(y, bn(x), rtol=1e-4, atol=1e-4))
bn.set_weights([gamma, beta, mean, variance])
np.savez("expected.npz", gamma, beta, mean, variance)
# --8<-- [end:prove]

# --8<-- [start:reload]
import numpy as np
import onnx
from onnx import helper, numpy_helper

graph = onnx.load("bn.onnx").graph
(node,) = graph.node
for attribute in node.attribute:
    print(attribute.name, f"{helper.get_attribute_value(attribute):.3g}")

stored = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
expected = np.load("expected.npz")
for name, key in zip(node.input[1:], expected, strict=True):
    print(f"{name:18} {np.array_equal(stored[name], expected[key])}")
# --8<-- [end:reload]

# --8<-- [start:training]
training = node_of(bn, "x", "y", "mean", "variance", training_mode=1)
shapes = {"x": images, "y": images, "mean": [3], "variance": [3]}
save("training.onnx", *training, shapes)
session = ort.InferenceSession("training.onnx")
y, mean, variance = session.run(None, {"x": first})

old, batch, m = bn.moving_mean.numpy(), x.mean((0, 1, 2)), bn.momentum
print(
    "old * m + batch * (1 - m):", np.allclose(mean, old * m + batch * (1 - m))
)
print(
    "the other way around:     ", np.allclose(mean, old * (1 - m) + batch * m)
)

ours = np.transpose(bn(x, training=True), (0, 3, 1, 2))
print("Keras in training mode:   ", np.allclose(y, ours, atol=1e-4), end=" ")
moved = [bn.moving_mean.numpy(), bn.moving_variance.numpy()]
print(np.allclose([mean, variance], moved))
(again, *_) = session.run(None, {"x": first[:1]})
print("one row as in the batch:  ", np.allclose(again, y[:1], atol=0.1))
# --8<-- [end:training]

# --8<-- [start:defaults]
schema = onnx.defs.get_schema("BatchNormalization", 15)
for name, attribute in schema.attributes.items():
    print(name, f"{helper.get_attribute_value(attribute.default_value):.3g}")
print(*(i.name for i in schema.inputs), "->", *(o.name for o in schema.outputs))
# --8<-- [end:defaults]

# --8<-- [start:versions]
for library in [onnx, ort, keras]:
    print(library.__name__, library.__version__)
# --8<-- [end:versions]
