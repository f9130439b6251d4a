# --8<-- [start:see]
import keras
import numpy as np
import onnx
import onnxruntime as ort
from onnx import numpy_helper

rng = np.random.default_rng(0)
x = rng.normal(5, 3, (64, 8)).astype("float32")
rows = keras.InputSpec(shape=(None, 8), dtype="float32", name="rows")


def build(mean, variance):
    model = keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.Dense(4),
            keras.layers.BatchNormalization(name="bn"),
            keras.layers.Dense(1),
        ]
    )
    bn = model.get_layer("bn")
    bn.moving_mean.assign(mean)
    bn.moving_variance.assign(variance)
    return model


def export(model):
    model.export(
        "net.onnx", format="onnx", input_signature=[rows], verbose=False
    )
    onnx.checker.check_model("net.onnx", full_check=True)
    (outputs,) = ort.InferenceSession("net.onnx").run(None, {"rows": x})
    return outputs


cases = {
    "trained": ([1, -2, 3, 0.5], [4, 9, 2, 1]),
    "one is NaN": ([1, -2, 3, 0.5], [4, np.nan, 2, 1]),
    "negative variance": ([1, -2, 3, 0.5], [4, -0.5, 2, 1]),
    "as it starts": ([0, 0, 0, 0], [1, 1, 1, 1]),
}
for name, statistics in cases.items():
    outputs = export(build(*statistics))
    print(f"{name:18} exported, NaN: {np.isnan(outputs).any()}")
# --8<-- [end:see]

# --8<-- [start:fix]
from bn_tools import batch_norms, broken


def worth_exporting(model):
    found = broken(model)
    for layer in batch_norms(model):
        mean, variance = layer.moving_mean, layer.moving_variance
        if not np.any(mean) and np.all(np.equal(variance, 1)):
            found.append(f"{layer.name}: statistics as they start")
    return found


for name, statistics in cases.items():
    print(f"{name:18}", worth_exporting(build(*statistics)))
# --8<-- [end:fix]


# --8<-- [start:sure]
def constants(file):
    for tensor in onnx.load(file).graph.initializer:
        yield numpy_helper.to_array(tensor)


for name, statistics in cases.items():
    export(build(*statistics))
    finite = all(np.isfinite(array).all() for array in constants("net.onnx"))
    print(f"{name:18} all constants finite: {finite}")
# --8<-- [end:sure]
