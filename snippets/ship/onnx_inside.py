# --8<-- [start:model]
import keras
import numpy as np

layers = keras.layers
model = keras.Sequential(
    [
        keras.Input(shape=(16, 16, 3), name="image"),
        layers.Conv2D(8, 3, use_bias=False, name="conv"),
        layers.BatchNormalization(name="after_conv"),
        layers.ReLU(),
        layers.DepthwiseConv2D(3, use_bias=False),
        layers.BatchNormalization(name="after_depthwise"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(8),
        layers.BatchNormalization(name="after_dense"),
        layers.Dense(3),
    ]
)


def move(model):
    rng = np.random.default_rng(0)
    for variable in model.variables:
        if variable.name in ["gamma", "moving_variance"]:
            variable.assign(rng.uniform(0.5, 2, variable.shape))
        elif variable.name in ["beta", "moving_mean"]:
            variable.assign(rng.normal(0, 0.5, variable.shape))


move(model)
x = np.random.default_rng(1).normal(1, 2, (32, 16, 16, 3)).astype("float32")
expected = model(x, training=False)
model.export("net.onnx", format="onnx", verbose=False)
# --8<-- [end:model]

# --8<-- [start:count]
from collections import Counter

import onnx


def operations(file):
    graph = onnx.load(file).graph
    kinds = Counter(node.op_type for node in graph.node)
    shown = ["BatchNormalization", "Conv", "Mul", "Add", "Transpose"]
    print(f"{file:12}", *(f"{kind} {kinds[kind]}" for kind in shown))


operations("net.onnx")
# --8<-- [end:count]

# --8<-- [start:where]
from onnx import numpy_helper


def two_numbers(layer):
    gamma, beta, mean, variance = layer.get_weights()
    factor = gamma / np.sqrt(variance + layer.epsilon)
    return factor, beta - mean * factor


def is_in(file, array):
    constants = map(numpy_helper.to_array, onnx.load(file).graph.initializer)
    same = [c for c in constants if c.size == np.size(array)]
    return any(np.allclose(np.squeeze(c), array, atol=1e-6) for c in same)


for name in ["after_conv", "after_depthwise", "after_dense"]:
    layer = model.get_layer(name)
    factor, summand = two_numbers(layer)
    print(f"{name:15} factor {is_in('net.onnx', factor)!s:5}", end="  ")
    print(f"summand {is_in('net.onnx', summand)!s:5}", end="  ")
    four = [is_in("net.onnx", array) for array in layer.get_weights()]
    print("of the four arrays", sum(four))
# --8<-- [end:where]

# --8<-- [start:kernel]
kernel = model.get_layer("conv").kernel.numpy()
factor, _ = two_numbers(model.get_layer("after_conv"))
for name, array in {
    "kernel": kernel,
    "kernel * factor": kernel * factor,
}.items():
    print(f"{name:16}", is_in("net.onnx", array.transpose(3, 2, 0, 1)))
# --8<-- [end:kernel]

# --8<-- [start:runtime]
import onnxruntime as ort


def optimize(source, target):
    options = ort.SessionOptions()
    options.graph_optimization_level = (
        ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    )
    options.optimized_model_filepath = target
    session = ort.InferenceSession(source, options)
    feed = {session.get_inputs()[0].name: x}
    (outputs,) = session.run(None, feed)
    return np.allclose(outputs, expected, rtol=1e-4, atol=1e-4)


print("equal within 1e-4:", optimize("net.onnx", "basic.onnx"))
operations("basic.onnx")
# --8<-- [end:runtime]

# --8<-- [start:first]
import tensorflow as tf
import tf2onnx

first = tf.function(lambda image: model(image, training=False))
spec = [tf.TensorSpec((None, 16, 16, 3), tf.float32, name="image")]
tf2onnx.convert.from_function(
    first,
    input_signature=spec,
    inputs_as_nchw=["image"],
    output_path="first.onnx",
)
operations("first.onnx")

session = ort.InferenceSession("first.onnx")
(outputs,) = session.run(None, {"image": x.transpose(0, 3, 1, 2)})
print("channels first:", session.get_inputs()[0].shape[1:], end=", ")
print("equal:", np.allclose(outputs, expected, rtol=1e-4, atol=1e-4))
# --8<-- [end:first]

# --8<-- [start:mobilenet]
from bn_tools import batch_norms, estimate_again

big = keras.applications.MobileNetV2(weights=None, input_shape=(96, 96, 3))
move(big)
x = np.random.default_rng(2).uniform(-1, 1, (8, 96, 96, 3))
x = x.astype("float32")
estimate_again(big, [x])
expected = big(x, training=False)
big.export("big.onnx", format="onnx", verbose=False)
layers = batch_norms(big)
print(len(layers), "layers; equal:", optimize("big.onnx", "basic.onnx"))
operations("big.onnx")
operations("basic.onnx")
# --8<-- [end:mobilenet]

# --8<-- [start:versions]
for library in [tf, keras, tf2onnx, onnx, ort]:
    print(library.__name__, library.__version__)
# --8<-- [end:versions]
