# --8<-- [start:setup]
import keras
import numpy as np
import onnxruntime as ort

rng = np.random.default_rng(0)
x = rng.normal(5, 3, (64, 4)).astype("float32")
rows = keras.InputSpec(shape=(None, 4), dtype="float32", name="rows")


def build(*first):
    norm = keras.layers.BatchNormalization()
    last = [keras.layers.Dense(8), norm, keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input(shape=(4,)), *first, *last])
    for variable in norm.variables:
        variable.assign(rng.uniform(0.5, 2, variable.shape))
    return model


def ask(file, model):
    (outputs,) = ort.InferenceSession(file).run(None, {"rows": x})
    expected = model(x, training=False)
    equal = np.allclose(outputs, expected, rtol=1e-4, atol=1e-4)
    print(f"{file}: equal within 1e-4: {equal}")


# --8<-- [end:setup]

# --8<-- [start:see]
normalize = keras.layers.Normalization()
normalize.adapt(x)
for name, first in {"plain": [], "scaled": [normalize]}.items():
    model = build(*first)
    file = f"{name}.onnx"
    model.export(file, format="onnx", input_signature=[rows], verbose=False)
    try:
        ask(file, model)
    except ValueError as error:
        start, _, end = str(error).partition("[")
        end = end.partition("]")[2]
        print(f"{file}:", f"ValueError: {start}...{end}", sep="\n")
# --8<-- [end:see]

# --8<-- [start:why]
for file in ["plain.onnx", "scaled.onnx"]:
    inputs = ort.InferenceSession(file).get_inputs()
    print(file, [each.shape[1:] for each in inputs])
# --8<-- [end:why]

# --8<-- [start:fix]
import subprocess
import sys

model.export("scaled", input_signature=[rows], verbose=False)
command = "tf2onnx.convert --saved-model scaled --output by-command.onnx"
subprocess.run(
    [sys.executable, "-m", *command.split()], check=True, capture_output=True
)
# --8<-- [end:fix]

# --8<-- [start:sure]
print(len(ort.InferenceSession("by-command.onnx").get_inputs()), "input")
ask("by-command.onnx", model)
normalize.mean = normalize.mean + 1
ask("by-command.onnx", model)
# --8<-- [end:sure]
