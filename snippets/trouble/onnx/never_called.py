# --8<-- [start:model]
import keras
import numpy as np

x = np.random.default_rng(0).normal(5, 3, (64, 8)).astype("float32")
y = x[:, :1] - x[:, 1:2]

model = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.Dense(16),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(1),
    ]
)
model.compile("sgd", "mse")
model.fit(x, y, epochs=2, verbose=0)
model.save("net.keras")
# --8<-- [end:model]


# --8<-- [start:see]
def attempt(what, model):
    try:
        model.export("net.onnx", format="onnx", verbose=False)
        print(f"{what}: exported")
    except ValueError as error:
        print(f"{what}: {type(error).__name__}:", str(error).strip())


attempt("trained here", model)
loaded = keras.saving.load_model("net.keras")
attempt("loaded", loaded)
# --8<-- [end:see]

# --8<-- [start:other]
loaded.export("exported", verbose=False)
print("as a SavedModel: exported")
# --8<-- [end:other]

# --8<-- [start:fix]
loaded = keras.saving.load_model("net.keras")
loaded(x[:1], training=False)
attempt("loaded and called", loaded)
# --8<-- [end:fix]

# --8<-- [start:signature]
rows = keras.InputSpec(shape=(None, 8), dtype="float32", name="rows")
loaded = keras.saving.load_model("net.keras")
loaded.export(
    "named.onnx", format="onnx", input_signature=[rows], verbose=False
)
# --8<-- [end:signature]

# --8<-- [start:sure]
import onnxruntime as ort

expected = model(x, training=False)
for file in ["net.onnx", "named.onnx"]:
    session = ort.InferenceSession(file)
    name = session.get_inputs()[0].name
    (outputs,) = session.run(None, {name: x})
    equal = np.allclose(outputs, expected, rtol=1e-4, atol=1e-4)
    print(f"{file:10} equal within 1e-4: {equal}")
# --8<-- [end:sure]
