# --8<-- [start:mixed]
from collections import Counter

import keras
import numpy as np
import onnx
import onnxruntime as ort


def build():
    model = keras.Sequential(
        [
            keras.Input(shape=(16, 16, 3), name="image"),
            keras.layers.Conv2D(8, 3, use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )
    arrays = np.random.default_rng(0)
    model.set_weights([arrays.uniform(0.5, 2, w.shape) for w in model.weights])
    return model


def run(file, x):
    session = ort.InferenceSession(file)
    (outputs,) = session.run(None, {session.get_inputs()[0].name: x})
    return outputs


x = np.random.default_rng(1).normal(1, 2, (8, 16, 16, 3)).astype("float32")
model = build()
keras.config.set_dtype_policy("mixed_float16")
mixed = build()
keras.config.set_dtype_policy("float32")
expected = model(x, training=False)

for name, net in {"float32": model, "mixed_float16": mixed}.items():
    net(x[:1], training=False)
    net.export(f"{name}.onnx", format="onnx", verbose=False)
    outputs = run(f"{name}.onnx", x)
    close = np.abs(outputs - expected).max() / np.abs(expected).max()
    kinds = Counter(n.op_type for n in onnx.load(f"{name}.onnx").graph.node)
    print(f"{name:13} {outputs.dtype}, off by < 1e-5: {close < 1e-5},", end=" ")
    print(f"< 1e-2: {close < 1e-2}; Cast {kinds['Cast']}, Mul {kinds['Mul']}")
# --8<-- [end:mixed]

# --8<-- [start:convert]
from onnxruntime.transformers.float16 import convert_float_to_float16

rows = np.random.default_rng(2).normal(5000, 1, (256, 3)).astype("float32")
bn = keras.layers.BatchNormalization()
scaled = keras.Sequential([keras.Input(shape=(3,)), bn])
bn.moving_mean.assign(rows.mean(axis=0))
bn.moving_variance.assign(rows.var(axis=0))
expected = scaled(rows, training=False)
scaled.export("rows.onnx", format="onnx", verbose=False)


def halve(file, net, **settings):
    half = convert_float_to_float16(net, keep_io_types=True, **settings)
    onnx.save(half, file)


halve("half.onnx", onnx.load("rows.onnx"))
halve("blocked.onnx", onnx.load("rows.onnx"), op_block_list=["Mul", "Add"])
for file in ["rows.onnx", "half.onnx", "blocked.onnx"]:
    off = np.abs(run(file, rows) - expected).max()
    print(f"{file:12} off by more than half a deviation: {off > 0.5}")
# --8<-- [end:convert]

# --8<-- [start:fix]
copy = build()
copy.set_weights(mixed.get_weights())
# --8<-- [end:fix]

# --8<-- [start:center]
bn.moving_mean.assign(bn.moving_mean - 5000)
scaled.export("centered.onnx", format="onnx", verbose=False)
halve("centered.onnx", onnx.load("centered.onnx"))
# --8<-- [end:center]

# --8<-- [start:sure]
copy(x[:1], training=False)
copy.export("copy.onnx", format="onnx", verbose=False)
equal = np.allclose(run("copy.onnx", x), model(x, training=False), 1e-4)
print("float32 copy equal within 1e-4:", equal)
off = np.abs(run("centered.onnx", rows - 5000) - expected).max()
print("centered before, float16, off by less than 0.01:", off < 0.01)
# --8<-- [end:sure]
