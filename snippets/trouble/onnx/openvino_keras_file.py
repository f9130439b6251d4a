# --8<-- [start:see]
import keras
import numpy as np
import openvino as ov

model = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.Dense(4),
        keras.layers.BatchNormalization(),
    ]
)
rng = np.random.default_rng(0)
model.set_weights([rng.uniform(0.5, 2, w.shape) for w in model.weights])
x = rng.normal(5, 3, (64, 8)).astype("float32")
expected = model(x, training=False)


def attempt(what, convert, *arguments, **settings):
    try:
        convert(*arguments, **settings)
        print(f"{what}: converted")
    except Exception as error:
        first = str(error).split("\n")[0]
        print(f"{what}: {type(error).__name__}:\n   {first}")


model.save("net.keras")
model.export("exported", verbose=False)
for source in ["net.keras", "exported"]:
    attempt(source, ov.convert_model, source)
# --8<-- [end:see]

# --8<-- [start:object]
attempt("model", ov.convert_model, model)
# --8<-- [end:object]

# --8<-- [start:ending]
for path in ["net", "net.xml"]:
    attempt(path, model.export, path, format="openvino", verbose=False)
# --8<-- [end:ending]

# --8<-- [start:fix]
loaded = keras.saving.load_model("net.keras")
loaded.export("fixed.xml", format="openvino", verbose=False)
# --8<-- [end:fix]

# --8<-- [start:sure]
settings = {"INFERENCE_PRECISION_HINT": "f32"}
outputs = ov.Core().compile_model("fixed.xml", "CPU", settings)(x)[0]
print("equal within 1e-4:", np.allclose(outputs, expected, rtol=1e-4))
# --8<-- [end:sure]
