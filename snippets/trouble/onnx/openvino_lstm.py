# --8<-- [start:see]
import keras
import numpy as np
import openvino as ov


def build(layer):
    model = keras.Sequential(
        [
            keras.Input(shape=(10, 4)),
            keras.layers.BatchNormalization(),
            layer,
            keras.layers.BatchNormalization(),
            keras.layers.Dense(2),
        ]
    )
    rng = np.random.default_rng(0)
    arrays = [rng.uniform(0.5, 2, w.shape) for w in model.weights]
    model.set_weights(arrays)
    return model


for layer in [keras.layers.LSTM(6), keras.layers.Conv1D(6, 3)]:
    model = build(layer)
    try:
        model.export("net.xml", format="openvino", verbose=False)
        print(f"{type(layer).__name__}: exported")
    except Exception as error:
        said = str(error).partition("No conversion rule")
        said = "".join(said[1:]).split("\n")[0]
        print(f"{type(layer).__name__}: {type(error).__name__}:\n   {said}")
# --8<-- [end:see]

# --8<-- [start:fix]
model = build(keras.layers.LSTM(6))
model.export("exported", verbose=False)
net = ov.convert_model("exported")
ov.save_model(net, "lstm.xml", compress_to_fp16=False)
# --8<-- [end:fix]

# --8<-- [start:sure]
x = np.random.default_rng(1).normal(1, 2, (8, 10, 4)).astype("float32")
settings = {"INFERENCE_PRECISION_HINT": "f32"}
outputs = ov.Core().compile_model("lstm.xml", "CPU", settings)(x)[0]
equal = np.allclose(outputs, model(x, training=False), rtol=1e-4, atol=1e-4)
print("equal within 1e-4:", equal)
off = np.abs(outputs - model(x, training=True)).max()
print("training mode differs by more than 0.1:", off > 0.1)
# --8<-- [end:sure]
