# --8<-- [start:see]
import keras
import numpy as np
import onnxruntime as ort


def build(shape):
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input(shape=shape, name="image"),
            layers.Conv2D(4, 3, use_bias=False),
            layers.BatchNormalization(),
            layers.GlobalAveragePooling2D(),
        ]
    )
    arrays = np.random.default_rng(0)
    weights = [arrays.uniform(0.5, 2, w.shape) for w in model.weights]
    model.set_weights(weights)
    return model


def attempt(what, file, image):
    try:
        session = ort.InferenceSession(file)
        (outputs,) = session.run(None, {session.get_inputs()[0].name: image})
        equal = np.allclose(outputs, expected, rtol=1e-4)
        print(f"{what}: equal {equal}")
    except Exception as error:
        text = str(error).partition(" : INVALID_ARGUMENT : ")[2]
        lines = text.split("\n")[:3]
        print(f"{what}: {type(error).__name__}:", *lines, sep="\n")


for shape in [(16, 16, 3), (8, 8, 8)]:
    model = build(shape)
    image = np.random.default_rng(1).normal(1, 2, (4, *shape))
    image = image.astype("float32")
    expected = model(image, training=False)
    model.export("net.onnx", format="onnx", verbose=False)
    attempt(f"{shape}, channels last ", "net.onnx", image)
    attempt(f"{shape}, channels first", "net.onnx", image.transpose(0, 3, 1, 2))
# --8<-- [end:see]

# --8<-- [start:fix]
first = image.transpose(0, 3, 1, 2)  # as PyTorch and many ONNX files have it
attempt("transposed", "net.onnx", first.transpose(0, 2, 3, 1))
# --8<-- [end:fix]

# --8<-- [start:other]
import tensorflow as tf
import tf2onnx

tf2onnx.convert.from_function(
    tf.function(lambda image: model(image, training=False)),
    input_signature=[tf.TensorSpec((None, 8, 8, 8), name="image")],
    inputs_as_nchw=["image"],
    output_path="first.onnx",
)
attempt("channels first", "first.onnx", first)
attempt("channels last ", "first.onnx", image)
# --8<-- [end:other]

# --8<-- [start:sure]
import onnx

for file in ["net.onnx", "first.onnx"]:
    nodes = [node.op_type for node in onnx.load(file).graph.node]
    print(f"{file:10}", *nodes)
# --8<-- [end:sure]
