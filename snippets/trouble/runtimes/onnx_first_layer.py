# --8<-- [start:setup]
import keras
import numpy as np
import onnxruntime as ort

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input(shape=(16, 16, 3), name="image"),
        keras.layers.Conv2D(8, 3, use_bias=False, name="conv"),
        keras.layers.BatchNormalization(name="after_conv"),
        keras.layers.ReLU(),
        keras.layers.DepthwiseConv2D(3, use_bias=False, name="depthwise"),
        keras.layers.BatchNormalization(name="after_depthwise"),
        keras.layers.GlobalAveragePooling2D(name="pool"),
        keras.layers.Dense(3, name="head"),
    ]
)
x = np.random.normal(1, 2, size=(32, 16, 16, 3)).astype("float32")
model(x, training=True)
model.export("net.onnx", format="onnx", verbose=False)
norm = model.get_layer("after_depthwise")
norm.moving_mean.assign(norm.moving_mean + 0.5)  # the model was trained on
# --8<-- [end:setup]

# --8<-- [start:see]
session = ort.InferenceSession("net.onnx")
(outputs,) = session.run(None, {"image": x})
expected = model(x, training=False)
print("outputs are equal:", np.allclose(outputs, expected, rtol=1e-3))
# --8<-- [end:see]

# --8<-- [start:fix]
import onnx


def layer_by_layer(model, path, x):
    """Return how far each layer's output is off in the ONNX file, in order.

    Args:
        model: Functional or Sequential, with one input.
        path: Its file, from `model.export`. Values are found by the names of
            the layers. A layer that was folded into another node is left out,
            and so is a model inside.
        x: A batch of inputs.

    Returns:
        By layer, the largest difference relative to the largest output.

    Raises:
        ValueError: The model is of another kind, or the file names no layer.
    """
    kind = type(model).__name__
    if kind not in ("Functional", "Sequential") or len(model.inputs) > 1:
        raise ValueError("not a functional or Sequential model of one input")
    proto = onnx.shape_inference.infer_shapes(onnx.load(path))
    proto.graph.output.extend(proto.graph.value_info)  # return what is inside
    session = ort.InferenceSession(proto.SerializeToString())
    names = [each.name for each in session.get_outputs()]
    values = session.run(names, {session.get_inputs()[0].name: x})
    ends = {id(tensor): i for i, tensor in enumerate(model.outputs)}
    found = {}
    for layer in model.layers:
        scope = f"/{layer.name}_1/"  # as the export of Keras names it
        mine = [v for name, v in zip(names, values) if scope in name]
        if id(layer.output) in ends:
            mine = [values[ends[id(layer.output)]]]
        inside = isinstance(layer, keras.Model) or not mine
        if inside or not isinstance(layer.output, keras.KerasTensor):
            continue
        output = keras.Model(model.inputs, layer.output)([x], training=False)
        orders = [mine[-1], np.moveaxis(mine[-1], 1, -1)]  # of the axes
        differences = [
            float(np.abs(each - output).max() / np.abs(output).max())
            for each in orders
            if each.shape == tuple(output.shape)
        ]
        if differences:
            found[layer.name] = min(differences)
    if not found:
        raise ValueError(f"{path} names no layer of the model")
    return found


for name, difference in layer_by_layer(model, "net.onnx", x).items():
    print(f"{name:16} equal: {difference < 1e-3}")
# --8<-- [end:fix]

# --8<-- [start:sure]
model.export("net.onnx", format="onnx", verbose=False)
differences = layer_by_layer(model, "net.onnx", x).values()
print("all layers are equal:", max(differences) < 1e-3)
# --8<-- [end:sure]
