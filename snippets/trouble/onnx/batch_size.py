# --8<-- [start:see]
import keras
import numpy as np
import onnxruntime as ort

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


def export(file, batch):
    rows = keras.InputSpec(shape=(batch, 8), dtype="float32", name="rows")
    model.export(file, format="onnx", input_signature=[rows], verbose=False)


def attempt(file):
    try:
        (outputs,) = ort.InferenceSession(file).run(None, {"rows": x})
        print(f"{file}: {len(outputs)} rows")
        return outputs
    except Exception as error:
        said = str(error).partition(" : INVALID_ARGUMENT : ")[2]
        print(
            f"{file}: {type(error).__name__}:", *said.split("\n")[:2], sep="\n"
        )


for file, batch in {"one.onnx": 1, "any.onnx": None}.items():
    export(file, batch)
    attempt(file)
# --8<-- [end:see]

# --8<-- [start:fix]
import onnx

net = onnx.load("one.onnx")
for value in [*net.graph.input, *net.graph.output]:
    value.type.tensor_type.shape.dim[0].dim_param = "batch"
onnx.save(net, "freed.onnx")
# --8<-- [end:fix]

# --8<-- [start:sure]
outputs = attempt("freed.onnx")
expected = model(x, training=False)
print("equal within 1e-4:", np.allclose(outputs, expected, rtol=1e-4))
# --8<-- [end:sure]
