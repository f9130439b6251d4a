# --8<-- [start:see]
import keras
import numpy as np

model = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.Dense(4),
        keras.layers.BatchNormalization(),
    ]
)
arrays = np.random.default_rng(0)
model.set_weights([arrays.uniform(0.5, 2, w.shape) for w in model.weights])
x = arrays.normal(5, 3, (64, 8)).astype("float32")
expected = model(x, training=False)

for version in [6, 18, 19]:
    try:
        model.export(
            f"{version}.onnx",
            format="onnx",
            opset_version=version,
            verbose=False,
        )
        print(f"opset {version}: exported")
    except ValueError as error:
        print(f"opset {version}: {type(error).__name__}: {error}")
# --8<-- [end:see]

# --8<-- [start:runtime]
import onnx
import onnxruntime as ort


def attempt(file):
    try:
        session = ort.InferenceSession(file)
        name = session.get_inputs()[0].name
        (outputs,) = session.run(None, {name: x})
        print(f"{file}: equal {np.allclose(outputs, expected, rtol=1e-4)}")
    except Exception as error:
        said = str(error)
        for words in ["Unsupported", "Could not find"]:
            if words in said:
                said = "...\n" + words + said.partition(words)[2]
        said = said.partition(" with ")[0].strip()
        print(f"{file}: {type(error).__name__}: {said}")


net = onnx.load("18.onnx")
net.ir_version = 15  # as a newer library of ONNX will write it
onnx.save(net, "newer.onnx")
for file in ["6.onnx", "18.onnx", "newer.onnx"]:
    attempt(file)
# --8<-- [end:runtime]

# --8<-- [start:default]
from onnx import helper

made = helper.make_model(net.graph)
print("onnx", onnx.__version__, end=" ")
print("writes opset", made.opset_import[0].version, "IR", made.ir_version)
# --8<-- [end:default]

# --8<-- [start:names]
for version in [9, 13, 14, 15, 28]:
    known = onnx.defs.get_schema("BatchNormalization", version, "")
    print(f"opset {version:2}:", *(each.name for each in known.inputs))
# --8<-- [end:names]

# --8<-- [start:fix]
for version in [9, 13, 15]:
    model.export(
        f"{version}.onnx", format="onnx", opset_version=version, verbose=False
    )
net = onnx.load("newer.onnx")
net.ir_version = 8
onnx.save(net, "older.onnx")
# --8<-- [end:fix]

# --8<-- [start:sure]
for file in ["9.onnx", "13.onnx", "15.onnx", "older.onnx"]:
    attempt(file)
# --8<-- [end:sure]
