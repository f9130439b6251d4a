# --8<-- [start:model]
import keras
import numpy as np
import openvino as ov

model = keras.Sequential(
    [
        keras.Input(shape=(16, 16, 3)),
        keras.layers.Conv2D(8, 3, use_bias=False),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.ReLU(),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(3),
    ]
)
rng = np.random.default_rng(0)
bn = model.get_layer("bn")
bn.gamma.assign(rng.uniform(0.5, 2, 8))
bn.beta.assign(rng.normal(0, 0.5, 8))
bn.moving_mean.assign(rng.normal(0, 0.5, 8))
bn.moving_variance.assign(rng.uniform(0.5, 2, 8))
x = rng.normal(1, 2, (32, 16, 16, 3)).astype("float32")
expected = model(x, training=False).numpy()

model.export("right.xml", format="openvino", verbose=False)
ov.save_model(ov.Core().read_model("right.xml"), "half.xml")
mean = bn.moving_mean.numpy()
bn.moving_mean.assign(mean + 1)
model.export("wrong.xml", format="openvino", verbose=False)
bn.moving_mean.assign(mean)
# --8<-- [end:model]


# --8<-- [start:verdict]
def verdict(file, x, expected, output=None, tolerance=1e-4):
    """Return what makes an OpenVINO model differ from what is expected."""
    core = ov.Core()
    net = core.read_model(file)
    if output is None and len(net.outputs) > 1:
        raise ValueError(f"{len(net.outputs)} outputs: say which, as output=0")

    def off(**settings):
        outputs = core.compile_model(net, "CPU", settings)(x)[output or 0]
        if outputs.shape != np.shape(expected):
            raise ValueError("what is expected is not the file's output")
        return np.abs(outputs - expected).max() / np.abs(expected).max()

    short = {
        node.get_type_name()
        for node in net.get_ops()
        for output in node.outputs()
        if output.get_element_type().get_type_name() in ("f16", "bf16")
    }
    exact = off(INFERENCE_PRECISION_HINT="f32")
    if exact < tolerance:
        plain = off()
        return "equal" if plain < tolerance else "precision of the device"
    if short - {"Constant", "Convert"}:
        return "computed in 16 bits: export a float32 copy"
    if short:
        return "constants of 16 bits: convert again, compress_to_fp16=False"
    return "a fault"


# Which of the two depends on the processor.
no_fault = ["equal", "precision of the device"]
for file in ["right.xml", "half.xml", "wrong.xml"]:
    found = verdict(file, x, expected)
    print(f"{file:10}", "no fault" if found in no_fault else found)
# --8<-- [end:verdict]


# --8<-- [start:sizes]
def rounded(array):
    return keras.ops.cast(keras.ops.cast(array, "bfloat16"), "float32")


coarse = keras.models.clone_model(model)
coarse.set_weights([rounded(array) for array in model.get_weights()])
size = np.abs(expected).max()
sizes = {
    "rounded to bfloat16": coarse(rounded(x), training=False),
    "another moving mean": ov.Core().compile_model("wrong.xml", "CPU")(x)[0],
    "training mode": model(x, training=True),
}
for name, outputs in sizes.items():
    off = np.abs(outputs - expected).max() / size
    print(f"{name:20} above 1e-4: {off > 1e-4}  above 5e-2: {off > 5e-2}")
# --8<-- [end:sizes]

# --8<-- [start:device]
core = ov.Core()
exact = {"INFERENCE_PRECISION_HINT": "f32"}
compiled = core.compile_model("right.xml", "CPU", exact)
asked = compiled.get_property("INFERENCE_PRECISION_HINT")
print("asked for:", asked.get_type_name())
chosen = core.compile_model("right.xml", "CPU")
# On this machine; yours may say bf16 or f16.
chosen = chosen.get_property("INFERENCE_PRECISION_HINT").get_type_name()
print("one of:", chosen in ["f32", "bf16", "f16"])
# --8<-- [end:device]

# --8<-- [start:versions]
for library in [keras, ov]:
    print(library.__name__, library.__version__.partition("-")[0])
# --8<-- [end:versions]
