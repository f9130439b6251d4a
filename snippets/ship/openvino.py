# --8<-- [start:model]
import keras
import numpy as np

layers = keras.layers
model = keras.Sequential(
    [
        keras.Input(shape=(16, 16, 3)),
        layers.Conv2D(8, 3, use_bias=False),
        layers.BatchNormalization(name="after_conv"),
        layers.ReLU(),
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


move(model)  # as training does: all four arrays leave their starting values
x = np.random.default_rng(1).normal(1, 2, (32, 16, 16, 3)).astype("float32")
# --8<-- [end:model]

# --8<-- [start:export]
image = keras.InputSpec(shape=(None, 16, 16, 3), dtype="float32", name="image")
model.export(
    "net.xml", format="openvino", input_signature=[image], verbose=False
)
# --8<-- [end:export]

# --8<-- [start:run]
import openvino as ov

core = ov.Core()
exact = {"INFERENCE_PRECISION_HINT": "f32"}


def run(net, x, settings=exact):
    compiled = core.compile_model(net, "CPU", settings)
    return compiled(x)[0]


predictions = run("net.xml", x)
# --8<-- [end:run]


# --8<-- [start:prove]
def compare(what, outputs):
    expected = model(x, training=False)
    equal = np.allclose(outputs, expected, rtol=1e-4, atol=1e-4)
    print(f"{what:19} equal within 1e-4: {equal}")


compare("as exported", predictions)
bn = model.get_layer("after_conv")
mean = bn.moving_mean.numpy()
bn.moving_mean.assign(mean + 1)
compare("another moving mean", predictions)
bn.moving_mean.assign(mean)

weights = model.get_weights()
gap = np.abs(predictions - model(x, training=True)).max()
model.set_weights(weights)  # the call has moved the statistics
print("training mode differs by more than 0.1:", gap > 0.1)
np.savez("expected.npz", x=x, predictions=predictions)
# --8<-- [end:prove]

# --8<-- [start:reload]
import sys

import numpy as np
import openvino as ov

expected = np.load("expected.npz")
settings = {"INFERENCE_PRECISION_HINT": "f32"}
compiled = ov.Core().compile_model("net.xml", "CPU", settings)
for rows in [slice(None), slice(0, 1)]:
    outputs = compiled({"image": expected["x"][rows]})[0]
    np.testing.assert_allclose(
        outputs, expected["predictions"][rows], rtol=1e-4, atol=1e-4
    )
    print(f"{len(outputs):2} rows equal within 1e-4")
print("TensorFlow imported:", "tensorflow" in sys.modules)
# --8<-- [end:reload]

# --8<-- [start:ways]
model.export("exported", input_signature=[image], verbose=False)
model.export("net.onnx", format="onnx", input_signature=[image], verbose=False)
for source in ["exported", "net.onnx"]:
    net = ov.convert_model(source)
    ov.save_model(net, f"{source}.xml", compress_to_fp16=False)
    compare(source, run(f"{source}.xml", x))
# --8<-- [end:ways]

# --8<-- [start:training]
import tensorflow as tf

archive = keras.export.ExportArchive()
archive.track(model)
archive.add_endpoint(
    "serve",
    lambda image: model(image, training=True),
    input_signature=[tf.TensorSpec((None, 16, 16, 3), name="image")],
)
archive.write_out("training", verbose=False)
ov.save_model(
    ov.convert_model("training"), "training.xml", compress_to_fp16=False
)
outputs = run("training.xml", x)
for training in [True, False]:
    expected = model(x, training=training)
    equal = np.allclose(outputs, expected, rtol=1e-3, atol=1e-3)
    print(f"training={training}: equal within 1e-3: {equal}")
alone = np.allclose(run("training.xml", x[:1]), outputs[:1], atol=1e-3)
print("a row alone as in the batch:", alone)
model.set_weights(weights)  # the calls have moved the statistics
# --8<-- [end:training]

# --8<-- [start:inside]
from collections import Counter


def operations(net):
    kinds = Counter(node.get_type_name() for node in net.get_ops())
    shown = ["BatchNormInference", "Convolution", "Multiply", "Add"]
    print(*(f"{kind} {kinds[kind]}" for kind in shown))


def is_in(net, array):
    nodes = [n for n in net.get_ops() if n.get_type_name() == "Constant"]
    same = [n.get_data() for n in nodes if n.get_data().size == array.size]
    return any(np.allclose(c.ravel(), array.ravel(), atol=1e-6) for c in same)


net = core.read_model("net.xml")
operations(net)
for name in ["after_conv", "after_dense"]:
    layer = model.get_layer(name)
    gamma, beta, mean, variance = layer.get_weights()
    factor = gamma / np.sqrt(variance + layer.epsilon)
    print(f"{name:11} factor {is_in(net, factor)!s:5}", end=" ")
    print("summand", is_in(net, beta - mean * factor))
# --8<-- [end:inside]

# --8<-- [start:mobilenet]
from bn_tools import batch_norms, estimate_again

shape = (96, 96, 3)
big = keras.applications.MobileNetV2(
    weights=None, input_shape=shape, classes=10
)
move(big)
images = np.random.default_rng(2).uniform(-1, 1, (8, *shape)).astype("float32")
estimate_again(big, [images])
big.export("big.xml", format="openvino", verbose=False)
outputs = run("big.xml", images)
operations(core.read_model("big.xml"))


def equal():
    expected = big(images, training=False)
    return np.allclose(outputs, expected, rtol=1e-4, atol=1e-4)


print("as exported:          ", equal())
layer = batch_norms(big)[20]
layer.moving_mean.assign(layer.moving_mean + np.sqrt(layer.moving_variance))
print("one mean of 52 is off:", equal())
# --8<-- [end:mobilenet]

# --8<-- [start:versions]
import tensorflow as tf

print("tensorflow", tf.__version__, "keras", keras.__version__)
print("openvino", ov.__version__.partition("-")[0])
# --8<-- [end:versions]
