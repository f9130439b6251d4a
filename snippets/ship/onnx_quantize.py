# --8<-- [start:model]
import keras
import numpy as np

random = np.random.default_rng(0)


def stripes(count):
    """Return noisy images of stripes, and which of 6 directions they have."""
    kinds = random.integers(0, 6, count)
    angle = (kinds * np.pi / 6).reshape(-1, 1, 1)
    row, column = np.mgrid[:16, :16]
    wave = row * np.sin(angle) + column * np.cos(angle)
    wave = np.sin(0.9 * wave + random.uniform(0, 6, (count, 1, 1)))
    images = 0.5 + 0.2 * wave + random.normal(0, 0.2, (count, 16, 16))
    return np.clip(images, 0, 1).astype("float32")[..., None], kinds


def norm():
    return [keras.layers.BatchNormalization(momentum=0.9), keras.layers.ReLU()]


x, y = stripes(2048)
new_x, new_y = stripes(512)
keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((16, 16, 1), name="image"),
        keras.layers.Conv2D(32, 3, strides=2, use_bias=False),
        *norm(),
        keras.layers.DepthwiseConv2D(3, use_bias=False),
        *norm(),
        keras.layers.Conv2D(64, 3, use_bias=False),
        *norm(),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(6),
    ]
)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile("adam", loss)
model.fit(x, y, batch_size=64, epochs=5, verbose=0)
model.export("net.onnx", format="onnx", verbose=False)
# --8<-- [end:model]

# --8<-- [start:fold]
from onnxruntime.quantization.shape_inference import quant_pre_process

quant_pre_process("net.onnx", "folded.onnx")
# --8<-- [end:fold]

# --8<-- [start:quantize]
from onnxruntime.quantization import CalibrationDataReader, quantize_static


class Rows(CalibrationDataReader):
    """Batches for the ranges of the values, prepared as for training."""

    def __init__(self, x, name="image", size=64):
        starts = range(0, len(x), size)
        self.batches = iter([{name: x[i : i + size]} for i in starts])

    def get_next(self):
        return next(self.batches, None)


quantize_static("folded.onnx", "int8.onnx", Rows(x[:256]))
# --8<-- [end:quantize]

# --8<-- [start:compare]
from collections import Counter

import onnx
import onnxruntime as ort

expected = model(new_x, training=False).numpy()


def compare(file):
    kinds = Counter(node.op_type for node in onnx.load(file).graph.node)
    (outputs,) = ort.InferenceSession(file).run(None, {"image": new_x})
    off = np.abs(outputs - expected).max() / np.abs(expected).max()
    right = np.mean(outputs.argmax(1) == new_y)
    print(f"{file:13} Mul, Add: {kinds['Mul'] + kinds['Add']}", end="  ")
    print(f"rounded: {kinds['QuantizeLinear']:2}", end="  ")
    print(f"within 20%: {off < 0.2!s:5}  right: {right > 0.9}")


for file in ["net.onnx", "folded.onnx", "int8.onnx"]:
    compare(file)
# --8<-- [end:compare]

# --8<-- [start:without]
quantize_static("net.onnx", "direct.onnx", Rows(x[:256]))
compare("direct.onnx")
# --8<-- [end:without]

# --8<-- [start:rows]
quantize_static("folded.onnx", "dark.onnx", Rows(x[:256] / 20))
compare("dark.onnx")
# --8<-- [end:rows]

# --8<-- [start:versions]
for library in [keras, onnx, ort]:
    print(library.__name__, library.__version__)
# --8<-- [end:versions]
