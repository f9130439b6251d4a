# --8<-- [start:see]
import keras
import numpy as np
import onnxruntime as ort
from onnx import TensorProto, checker, helper, numpy_helper, save

rng = np.random.default_rng(0)
scale = np.array([1, 1, 1], "float32")
deviation = np.array([1, 0.1, 0.01], "float32")
x = rng.normal(2, deviation, (256, 3)).astype("float32")

bn = keras.layers.BatchNormalization()
bn.build(x.shape)
bn.set_weights([scale, 0 * scale, x.mean(axis=0), x.var(axis=0)])
expected = bn(x, training=False)


def write(file, **attributes):
    names = ["gamma", "beta", "moving_mean", "moving_variance"]
    arrays = map(numpy_helper.from_array, bn.get_weights(), names)
    node = helper.make_node(
        "BatchNormalization", ["x", *names], ["y"], **attributes
    )
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 3])
        for name in "xy"
    ]
    graph = helper.make_graph([node], "net", values[:1], values[1:], arrays)
    opsets = [helper.make_opsetid("", 15)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    checker.check_model(model, full_check=True)
    save(model, file)


def run(file):
    return ort.InferenceSession(file).run(None, {"x": x})[0]


write("without.onnx")
write("with.onnx", epsilon=float(bn.epsilon))
for file in ["without.onnx", "with.onnx"]:
    ratio = run(file).std(axis=0) / np.std(expected, axis=0)
    print(f"{file:13} deviations of Keras' times", ratio.round(2))
# --8<-- [end:see]

# --8<-- [start:read]
import onnx

(node,) = onnx.load("without.onnx").graph.node
given = {a.name: helper.get_attribute_value(a) for a in node.attribute}
layers = {
    "Keras' default": keras.layers.BatchNormalization(),
    "ONNX' default": keras.layers.BatchNormalization(
        epsilon=given.get("epsilon", 1e-5), momentum=given.get("momentum", 0.9)
    ),
}
for name, layer in layers.items():
    layer.build(x.shape)
    layer.set_weights(bn.get_weights())
    equal = np.allclose(layer(x), run("without.onnx"), rtol=1e-3, atol=1e-3)
    print(f"{name:14} equal {equal}")
# --8<-- [end:read]

# --8<-- [start:sure]
equal = np.allclose(run("with.onnx"), expected, rtol=1e-3, atol=1e-3)
print("written with epsilon, equal", equal)
# --8<-- [end:sure]
