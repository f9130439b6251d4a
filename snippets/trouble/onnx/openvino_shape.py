# --8<-- [start:see]
import keras
import numpy as np
import openvino as ov

layers = keras.layers
model = keras.Sequential(
    [
        keras.Input(shape=(16, 16, 3)),
        layers.Conv2D(4, 3, use_bias=False),
        layers.BatchNormalization(),
        layers.GlobalAveragePooling2D(),
    ]
)
rng = np.random.default_rng(0)
model.set_weights([rng.uniform(0.5, 2, w.shape) for w in model.weights])
x = rng.normal(1, 2, (8, 16, 16, 3)).astype("float32")
expected = model(x, training=False)

model.export("net.xml", format="openvino", verbose=False)
core = ov.Core()
net = core.read_model("net.xml")


def attempt(what, x):
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    try:
        outputs = core.compile_model(net, "CPU", settings)(x)[0]
        equal = np.allclose(outputs, expected, rtol=1e-4, atol=1e-4)
        print(f"{what}: equal {equal}")
    except RuntimeError as error:
        kind, said = type(error).__name__, str(error).partition("Can't")
        print(f"{what}: {kind}: ... {''.join(said[1:]).strip()}")


attempt("channels last", x)
attempt("channels first", x.transpose(0, 3, 1, 2))
# --8<-- [end:see]

# --8<-- [start:fixed]
net.reshape([1, 16, 16, 3])
attempt("a batch of 8", x)
# --8<-- [end:fixed]

# --8<-- [start:fix]
net.reshape([-1, 16, 16, 3])
# --8<-- [end:fix]

# --8<-- [start:sure]
print(net.inputs[0].get_partial_shape())
attempt("a batch of 8", x)
attempt("transposed", x.transpose(0, 3, 1, 2).transpose(0, 2, 3, 1))
# --8<-- [end:sure]
