# --8<-- [start:setup]
import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import helper, numpy_helper

torch.manual_seed(0)
net = torch.nn.Sequential()
net.add_module("first", torch.nn.BatchNorm2d(3, eps=1e-3, momentum=0.01))
net.add_module("conv", torch.nn.Conv2d(3, 4, 3))
net.add_module("bn", torch.nn.BatchNorm2d(4, eps=1e-3, momentum=0.01))
for layer in [net.first, net.bn]:
    for array in layer.weight, layer.bias, layer.running_mean:
        torch.nn.init.uniform_(array, 0.5, 2)
    torch.nn.init.uniform_(layer.running_var, 0.5, 2)
x = 3 + 2 * torch.randn(16, 3, 8, 8)
expected = net.eval()(x).detach().numpy()
rows = [{0: torch.export.Dim("batch")}]
# --8<-- [end:setup]


# --8<-- [start:see]
def settings(node):
    found = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    return {key: round(value, 4) for key, value in found.items()}


def look(file):
    session = ort.InferenceSession(file)
    [name] = [i.name for i in session.get_inputs()]
    [together] = session.run(None, {name: x.numpy()})
    [alone] = session.run(None, {name: x[:1].numpy()})
    print(f"{file}: equal within 1e-4:", np.allclose(together, expected, 1e-4))
    print("   one row as in the batch:", np.allclose(alone, together[:1], 1e-3))
    graph = onnx.load(file).graph
    for node in graph.node:
        if node.op_type == "BatchNormalization":
            print("  ", node.input[1].rpartition(".")[0], settings(node))
    state = net.state_dict()
    for array in graph.initializer:
        if array.name in ["conv.weight", "bn.running_mean"]:
            same = numpy_helper.to_array(array) == state[array.name].numpy()
            print(f"   {array.name} is that of the net: {same.all()}")


quiet = dict(verbose=False, dynamo=True, dynamic_shapes=rows)
torch.onnx.export(net, (x,), "folded.onnx", **quiet)
torch.onnx.export(net, (x,), "nodes.onnx", optimize=False, **quiet)
for file in ["folded.onnx", "nodes.onnx"]:
    look(file)
# --8<-- [end:see]

# --8<-- [start:controls]
for wrong in ["a wrong sign", "swapped", "epsilon left out"]:
    model = onnx.load("nodes.onnx")
    *_, node = [n for n in model.graph.node if n.input[1:2] == ["bn.weight"]]
    if wrong == "swapped":
        node.input[3], node.input[4] = node.input[4], node.input[3]
    for array in model.graph.initializer:
        if wrong == "a wrong sign" and array.name == "bn.running_mean":
            minus = -numpy_helper.to_array(array)
            array.CopyFrom(numpy_helper.from_array(minus, array.name))
    kept = [a for a in node.attribute if a.name != "epsilon"]
    if wrong == "epsilon left out":
        del node.attribute[:]
        node.attribute.extend(kept)
    session = ort.InferenceSession(model.SerializeToString())
    [outputs] = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    print(f"{wrong} equal:", np.allclose(outputs, expected, 1e-4))
# --8<-- [end:controls]

# --8<-- [start:file]
from pathlib import Path

print(*sorted(path.name for path in Path().glob("nodes.onnx*")))
Path("nodes.onnx").rename("moved.onnx")
Path("nodes.onnx.data").unlink()
try:
    ort.InferenceSession("moved.onnx")
except Exception as error:
    print("without its second file:", type(error).__name__)
whole = dict(external_data=False, optimize=False)
torch.onnx.export(net, (x,), "whole.onnx", **whole, **quiet)
look("whole.onnx")
# --8<-- [end:file]


# --8<-- [start:training]
def moved():
    same = torch.equal(net.first.running_mean, mean)
    print("   the export moved the statistics of net:", not same)


mean = net.first.running_mean.clone()
net.train()
torch.onnx.export(net, (x,), "train.onnx", optimize=False, **quiet)
look("train.onnx")
moved()
older = dict(dynamo=False, training=torch.onnx.TrainingMode.TRAINING)
axes = dict(input_names=["x"], dynamic_axes={"x": {0: "batch"}})
older |= dict(do_constant_folding=False, **axes)
torch.onnx.export(net, (x,), "older.onnx", **older)
look("older.onnx")
moved()
# --8<-- [end:training]

# --8<-- [start:versions]
from importlib.metadata import version

for each in ["torch", "onnxscript", "onnx", "onnxruntime"]:
    print(each, version(each).partition("+")[0])
# --8<-- [end:versions]
