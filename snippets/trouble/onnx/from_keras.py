# --8<-- [start:see]
import keras
import numpy as np
import onnxruntime as ort
import tf2onnx

model = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.Dense(16),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(2),
    ]
)
rng = np.random.default_rng(0)
model.set_weights([rng.uniform(0.5, 2, w.shape) for w in model.weights])
x = rng.normal(5, 3, (64, 8)).astype("float32")
functional = keras.Model(model.inputs, model.outputs)


def attempt(what, model):
    try:
        tf2onnx.convert.from_keras(model, output_path="net.onnx")
        print(f"{what}: converted")
    except KeyError as error:
        print(f"{what}: {type(error).__name__}: {error}")


attempt("Sequential", model)
attempt("functional", functional)
# --8<-- [end:see]

# --8<-- [start:why]
print("functional", functional.output_names)
print("Sequential", getattr(model, "output_names", "has none"))
print("its tensor", [tensor.name for tensor in model.outputs])
# --8<-- [end:why]

# --8<-- [start:fix]
rows = keras.InputSpec(shape=(None, 8), dtype="float32", name="rows")
model.export(
    "export.onnx", format="onnx", input_signature=[rows], verbose=False
)
# --8<-- [end:fix]

# --8<-- [start:wrap]
functional = keras.Model(model.inputs, model.outputs)
tf2onnx.convert.from_keras(functional, output_path="from_keras.onnx")
# --8<-- [end:wrap]

# --8<-- [start:sure]
expected = model(x, training=False)
for file in ["export.onnx", "from_keras.onnx"]:
    session = ort.InferenceSession(file)
    name = session.get_inputs()[0].name
    (outputs,) = session.run(None, {name: x})
    equal = np.allclose(outputs, expected, rtol=1e-4)
    print(f"{file:15} equal within 1e-4: {equal}")
# --8<-- [end:sure]
