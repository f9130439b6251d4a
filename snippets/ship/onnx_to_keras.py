# --8<-- [start:read]
import keras
import numpy as np
import onnx
from onnx import helper, numpy_helper


def constants(file):
    """Return all arrays of an ONNX file by name."""
    graph = onnx.load(file).graph
    found = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            array = numpy_helper.to_array(node.attribute[0].t)
            found[node.output[0]] = array
        elif node.op_type == "Identity" and node.input[0] in found:
            found[node.output[0]] = found[node.input[0]]
    return found


def batchnorms(file):
    """Return settings and arrays of each BatchNormalization node, by name."""
    net, arrays, found = onnx.load(file), constants(file), {}
    opset = max(
        o.version for o in net.opset_import if o.domain in ("", "ai.onnx")
    )
    for node in net.graph.node:
        if node.op_type != "BatchNormalization":
            continue
        given = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        # A node may have no name, or that of another one.
        name = node.output[0] if node.name in {"", *found} else node.name
        training = given.get("training_mode") or len(node.output) > 1
        if training or (opset < 7 and not given.get("is_test")):
            raise ValueError(f"{name}: exported in training mode")
        if computed := [name for name in node.input[1:5] if name not in arrays]:
            raise ValueError(f"{name}: {computed[0]} is computed in the file")
        found[name] = {
            "epsilon": given.get("epsilon", 1e-5),
            "momentum": given.get("momentum", 0.9),
            # gamma, beta, moving_mean, moving_variance
            "arrays": [arrays[name] for name in node.input[1:5]],
        }
    return found


# --8<-- [end:read]

# --8<-- [start:foreign]
rng = np.random.default_rng(0)


def foreign_bn(name, source, channels, **settings):
    scale, variance = rng.uniform(0.5, 2, (2, channels)).astype("float32")
    bias, mean = rng.normal(0, 1, (2, channels)).astype("float32")
    named = {
        f"{name}.weight": scale,
        f"{name}.bias": bias,
        f"{name}.running_mean": mean,
        f"{name}.running_var": variance,
    }
    node = helper.make_node(
        "BatchNormalization",
        [source, *named],
        [f"/{name}/BatchNormalization_output_0"],
        name=f"/{name}/BatchNormalization",
        **settings,
        training_mode=0,
    )
    return node, [numpy_helper.from_array(a, n) for n, a in named.items()]


node0, arrays0 = foreign_bn("0", "image", 3, epsilon=1e-5, momentum=0.9)
source, target = node0.output[0], "/1/Conv_output_0"
node1 = helper.make_node("Conv", [source, "1.weight"], [target], "/1/Conv")
kernel = rng.normal(0, 0.3, (4, 3, 3, 3)).astype("float32")
arrays1 = [numpy_helper.from_array(kernel, "1.weight")]
node2, arrays2 = foreign_bn("2", target, 4, epsilon=1e-2, momentum=0.8)

float32 = onnx.TensorProto.FLOAT
shapes = {"image": ["batch", 3, 8, 8], node2.output[0]: ["batch", 4, 6, 6]}
values = [
    helper.make_tensor_value_info(name, float32, shape)
    for name, shape in shapes.items()
]
nodes, arrays = [node0, node1, node2], [*arrays0, *arrays1, *arrays2]
graph = helper.make_graph(nodes, "net", values[:1], values[1:], arrays)
opsets = [helper.make_opsetid("", 20)]
foreign = helper.make_model(graph, opset_imports=opsets, ir_version=9)
onnx.checker.check_model(foreign, full_check=True)
onnx.save(foreign, "foreign.onnx")
# --8<-- [end:foreign]

# --8<-- [start:look]
for name, found in batchnorms("foreign.onnx").items():
    shapes = [array.shape for array in found["arrays"]]
    print(f"{name} {found['epsilon']:.0e} {found['momentum']:.1f} {shapes}")
# --8<-- [end:look]


# --8<-- [start:port]
def layer_of(found):
    return keras.layers.BatchNormalization(
        epsilon=found["epsilon"], momentum=found["momentum"]
    )


first, second = batchnorms("foreign.onnx").values()
conv = keras.layers.Conv2D(4, 3, use_bias=False)
layers = [layer_of(first), conv, layer_of(second)]
model = keras.Sequential([keras.Input((8, 8, 3)), *layers])

layers[0].set_weights(first["arrays"])
kernel = constants("foreign.onnx")["1.weight"]
layers[1].set_weights([kernel.transpose(2, 3, 1, 0)])
layers[2].set_weights(second["arrays"])
# --8<-- [end:port]

# --8<-- [start:compare]
import onnxruntime as ort

image = rng.normal(1, 2, (16, 3, 8, 8)).astype("float32")
(theirs,) = ort.InferenceSession("foreign.onnx").run(None, {"image": image})


def same(model):
    ours = model(image.transpose(0, 2, 3, 1), training=False)
    ours = np.transpose(ours, (0, 3, 1, 2))
    return np.allclose(ours, theirs, rtol=1e-4, atol=1e-4)


print("as read            ", same(model))
gamma, beta, mean, variance = second["arrays"]
layers[2].set_weights([beta, gamma, mean, variance])
print("gamma, beta swapped", same(model))
layers[2].set_weights(second["arrays"])
layers[2].epsilon = 1e-3
print("Keras' own epsilon ", same(model))
layers[2].epsilon = second["epsilon"]
model.save("ported.keras")
# --8<-- [end:compare]

# --8<-- [start:reload]
import keras
import numpy as np
import onnx
from onnx import numpy_helper

loaded = keras.saving.load_model("ported.keras")
for tensor in onnx.load("foreign.onnx").graph.initializer:
    saved = numpy_helper.to_array(tensor)
    if saved.ndim == 4:
        saved = saved.transpose(2, 3, 1, 0)
    equal = [np.array_equal(saved, w) for w in loaded.get_weights()]
    print(f"{tensor.name:14} in ported.keras: {any(equal)}")
# --8<-- [end:reload]

# --8<-- [start:versions]
for library in [onnx, ort, keras]:
    print(library.__name__, library.__version__)
# --8<-- [end:versions]
