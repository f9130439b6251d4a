# --8<-- [start:see]
import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(0)
x = rng.normal(3, 2, (256, 3)).astype("float32")
arrays = {
    "gamma": np.array([0.5, 2, 3], "float32"),
    "beta": np.array([1, -1, 0.3], "float32"),
    "moving_mean": np.array([5, -2, 1], "float32"),
    "moving_variance": np.array([4, 0.5, 9], "float32"),
}


def write(file, outputs, training_mode):
    node = helper.make_node(
        "BatchNormalization",
        ["x", *arrays],
        outputs,
        name="bn",
        epsilon=1e-3,
        training_mode=training_mode,
    )
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 3])
        for name in "xy"
    ]
    stored = [numpy_helper.from_array(a, name) for name, a in arrays.items()]
    graph = helper.make_graph([node], "net", values[:1], values[1:], stored)
    opsets = [helper.make_opsetid("", 15)]
    net = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    onnx.save(net, file)


def attempt(file):
    try:
        session = ort.InferenceSession(file)
    except Exception as error:
        said = "".join(str(error).partition("This number")[1:])
        print(f"{file}: {type(error).__name__}: ...\n{said[:77]}")
        return
    together = session.run(None, {"x": x})[0]
    alone = session.run(None, {"x": x[:1]})[0]
    same = np.allclose(alone, together[:1], atol=1e-3)
    print(f"{file}: one row as in the batch: {same}")
    return together


write("one.onnx", ["y"], training_mode=1)
write("three.onnx", ["y", "mean", "variance"], training_mode=1)
write("inference.onnx", ["y"], training_mode=0)
for file in ["one.onnx", "three.onnx", "inference.onnx"]:
    attempt(file)
# --8<-- [end:see]


# --8<-- [start:fix]
def to_inference(net):
    """Switch each BatchNormalization node of a model to inference mode."""
    used = {o.name for o in net.graph.output}
    used |= {name for node in net.graph.node for name in node.input}
    nodes = [n for n in net.graph.node if n.op_type == "BatchNormalization"]
    for node in nodes:
        if used & {*node.output[1:]} - {""}:  # "" is an output left out
            raise ValueError(f"{node.output[0]}: its statistics are used")
    for node in nodes:
        del node.output[1:]
        for attribute in node.attribute:
            if attribute.name == "training_mode":
                attribute.i = 0
    return net


for name in ["one", "three"]:
    onnx.save(to_inference(onnx.load(f"{name}.onnx")), f"{name}-fixed.onnx")
# --8<-- [end:fix]

# --8<-- [start:sure]
gamma, beta, mean, variance = arrays.values()
expected = (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta
for file in ["one-fixed.onnx", "three-fixed.onnx"]:
    equal = np.allclose(attempt(file), expected, atol=1e-4)
    print("   with the moving statistics:", equal)
# --8<-- [end:sure]
