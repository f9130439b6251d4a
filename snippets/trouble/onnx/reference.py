# --8<-- [start:see]
import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

rng = np.random.default_rng(0)
x = rng.normal(3, 2, (256, 3)).astype("float32")
arrays = {
    "gamma": np.array([0.5, 2, 3], "float32"),
    "beta": np.array([1, -1, 0.3], "float32"),
    "moving_mean": np.array([5, -2, 1], "float32"),
    "moving_variance": np.array([4, 0.5, 9], "float32"),
}


def net(opset):
    node = helper.make_node(
        "BatchNormalization", ["x", *arrays], ["y"], epsilon=1e-3, momentum=0.9
    )
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 3])
        for name in "xy"
    ]
    stored = [numpy_helper.from_array(a, name) for name, a in arrays.items()]
    graph = helper.make_graph([node], "net", values[:1], values[1:], stored)
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


gamma, beta, mean, variance = arrays.values()
expected = (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta
for opset in [9, 13, 14, 15]:
    session = ort.InferenceSession(net(opset).SerializeToString())
    runtime = session.run(None, {"x": x})[0]
    reference = ReferenceEvaluator(net(opset)).run(None, {"x": x})[0]
    print(
        f"opset {opset:2}",
        f"onnxruntime {np.allclose(runtime, expected, atol=1e-4)}",
        f"onnx.reference {np.allclose(reference, expected, atol=1e-4)}",
    )
# --8<-- [end:see]

# --8<-- [start:older]
try:
    ReferenceEvaluator(net(8)).run(None, {"x": x})
except TypeError as error:
    print("TypeError:", str(error).partition(",")[0])
# --8<-- [end:older]

# --8<-- [start:why]
reference = ReferenceEvaluator(net(13)).run(None, {"x": x})[0]
mixed_mean = mean * 0.9 + x.mean(axis=0) * 0.1
mixed_variance = variance * 0.9 + x.var(axis=0) * 0.1
mixed = (x - mixed_mean) / np.sqrt(mixed_variance + 1e-3) * gamma + beta
print("old statistics and the batch:", np.allclose(reference, mixed, atol=1e-4))
# --8<-- [end:why]

# --8<-- [start:fix]
from onnx import version_converter

newer = version_converter.convert_version(net(13), 15)
# --8<-- [end:fix]

# --8<-- [start:sure]
for opset in [8, 9, 13]:
    newer = version_converter.convert_version(net(opset), 15)
    reference = ReferenceEvaluator(newer).run(None, {"x": x})[0]
    equal = np.allclose(reference, expected, atol=1e-4)
    print(f"opset {opset:2} converted to 15: {equal}")
# --8<-- [end:sure]
