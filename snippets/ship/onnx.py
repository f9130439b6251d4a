# --8<-- [start:model]
import keras
import numpy as np

layers = keras.layers
model = keras.Sequential(
    [
        keras.Input(shape=(16, 16, 3)),
        layers.Conv2D(8, 3, use_bias=False),
        layers.BatchNormalization(name="bn"),
        layers.ReLU(),
        layers.DepthwiseConv2D(3, use_bias=False),
        layers.BatchNormalization(),
        layers.GlobalAveragePooling2D(),
        layers.Dense(8),
        layers.BatchNormalization(),
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
model.export("net.onnx", format="onnx", input_signature=[image], verbose=False)
# --8<-- [end:export]

# --8<-- [start:run]
import onnxruntime as ort

session = ort.InferenceSession("net.onnx")
(predictions,) = session.run(None, {"image": x})
# --8<-- [end:run]

# --8<-- [start:prove]
bn = model.get_layer("bn")
mean = bn.moving_mean.numpy()
for name, array in {"as exported": mean, "another mean": mean + 1}.items():
    bn.moving_mean.assign(array)
    expected = model(x, training=False)
    equal = np.allclose(predictions, expected, rtol=1e-4, atol=1e-4)
    print(f"{name:12} equal within 1e-4: {equal}")
bn.moving_mean.assign(mean)

weights = model.get_weights()
gap = np.abs(predictions - model(x, training=True)).max()
model.set_weights(weights)  # the call has moved the statistics
print("training mode differs by more than 0.1:", gap > 0.1)
# --8<-- [end:prove]

# --8<-- [start:expect]
np.savez("expected.npz", x=x, predictions=model(x, training=False))
# --8<-- [end:expect]

# --8<-- [start:reload]
import sys

import numpy as np
import onnxruntime as ort

loaded = ort.InferenceSession("net.onnx")
saved = np.load("expected.npz")
for rows in [slice(None), slice(0, 1)]:
    (outputs,) = loaded.run(None, {"image": saved["x"][rows]})
    np.testing.assert_allclose(
        outputs, saved["predictions"][rows], rtol=1e-4, atol=1e-4
    )
    print(f"{len(outputs):2} rows equal within 1e-4")
print("TensorFlow imported:", "tensorflow" in sys.modules)
# --8<-- [end:reload]

# --8<-- [start:shapes]
for each in [*session.get_inputs(), *session.get_outputs()]:
    print(each.name, each.type, ["batch", *each.shape[1:]])
# --8<-- [end:shapes]

# --8<-- [start:function]
import tensorflow as tf
import tf2onnx

spec = [tf.TensorSpec((None, 16, 16, 3), tf.float32, name="image")]
tf2onnx.convert.from_function(
    tf.function(lambda image: {"score": model(image, training=False)}),
    input_signature=spec,
    opset=18,
    output_path="function.onnx",
)
# --8<-- [end:function]

# --8<-- [start:command]
import subprocess
import sys
import textwrap

model.export("exported", input_signature=[image], verbose=False)
command = "tf2onnx.convert --saved-model exported --output command.onnx"
subprocess.run(
    [sys.executable, "-m", *command.split()], check=True, capture_output=True
)
# --8<-- [end:command]

# --8<-- [start:ways]
import onnx


def describe(file):
    opset = onnx.load(file).opset_import[0].version
    session = ort.InferenceSession(file)
    output = session.get_outputs()[0].name
    (outputs,) = session.run(None, {session.get_inputs()[0].name: x})
    equal = np.allclose(outputs, predictions, rtol=1e-4, atol=1e-4)
    print(f"{file:14} opset {opset} {output:10} equal within 1e-4: {equal}")


for file in ["net.onnx", "function.onnx", "command.onnx"]:
    describe(file)
# --8<-- [end:ways]


# --8<-- [start:keras]
class Own(layers.BatchNormalization):
    """A class that the command does not know."""


own = keras.Sequential([keras.Input(shape=(4,)), Own(), layers.Dense(3)])
own.save("own.h5")
own.export("own", verbose=False)
model.save("net.keras")
model.save("net.h5")
for kind, file in [
    ("keras", "net.keras"),
    ("keras", "net.h5"),
    ("keras", "own.h5"),
    ("saved-model", "own"),
]:
    command = f"tf2onnx.convert --{kind} {file} --output {file}.onnx"
    done = subprocess.run(
        [sys.executable, "-m", *command.split()],
        capture_output=True,
        text=True,
    )
    error = done.stderr[done.stderr.rfind("ValueError") :].split(" and ")[0]
    said = error if done.returncode else "converted"
    print(textwrap.fill(f"--{kind} {file}: {said}", 76))
describe("net.keras.onnx")
describe("net.h5.onnx")
# --8<-- [end:keras]

# --8<-- [start:mobilenet]
from bn_tools import batch_norms, estimate_again

shape = (96, 96, 3)
big = keras.applications.MobileNetV2(
    weights=None, input_shape=shape, classes=10
)
move(big)
images = np.random.default_rng(2).uniform(-1, 1, (8, *shape)).astype("float32")
estimate_again(big, [images])
big.export("big.onnx", format="onnx", verbose=False)

session = ort.InferenceSession("big.onnx")
(outputs,) = session.run(None, {session.get_inputs()[0].name: images})


def equal():
    expected = big(images, training=False)
    return np.allclose(outputs, expected, rtol=1e-4, atol=1e-4)


print("as exported:          ", equal())
layer = batch_norms(big)[20]
layer.moving_mean.assign(layer.moving_mean + np.sqrt(layer.moving_variance))
print("one mean of 52 is off:", equal())
# --8<-- [end:mobilenet]

# --8<-- [start:versions]
for library in [tf, keras, tf2onnx, onnx, ort]:
    print(library.__name__, library.__version__)
# --8<-- [end:versions]
