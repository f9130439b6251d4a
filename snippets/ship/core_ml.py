# --8<-- [start:model]
import keras
import numpy as np

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input(shape=(12, 12, 3), name="image"),
        keras.layers.Conv2D(4, 3, use_bias=False, name="conv"),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.ReLU(),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(5, use_bias=False, name="dense"),
        keras.layers.BatchNormalization(name="bn_2"),
        keras.layers.Dense(3, use_bias=False, name="head"),
    ]
)
x = np.random.normal(1, 2, size=(32, 12, 12, 3)).astype("float32")
for name in ["bn", "bn_2"]:  # random arrays stand in for training
    layer = model.get_layer(name)
    shapes = [array.shape for array in layer.get_weights()]
    layer.set_weights([np.random.uniform(0.5, 3, shape) for shape in shapes])
# --8<-- [end:model]

# --8<-- [start:convert]
import coremltools as ct
import tensorflow as tf


@tf.function(input_signature=[tf.TensorSpec((None, 12, 12, 3), name="image")])
def infer(image):
    return model(image, training=False)


image = ct.TensorType("image", shape=(ct.RangeDim(1, 32), 12, 12, 3))
converted = ct.convert(
    [infer.get_concrete_function()],
    source="tensorflow",
    inputs=[image],
    compute_precision=ct.precision.FLOAT32,
)
converted.save("net.mlpackage")
# --8<-- [end:convert]

# --8<-- [start:predict]
outputs = converted.predict({"image": x})
# --8<-- [end:predict]

# --8<-- [start:read]
from coremltools.optimize.coreml import get_weights_metadata

package = ct.models.MLModel("net.mlpackage", skip_model_load=True)
arrays = {
    name: told.val
    for name, told in get_weights_metadata(package, weight_threshold=2).items()
}
program = package.get_spec().mlProgram.functions["main"]
steps = [
    step
    for step in program.block_specializations[program.opset].operations
    if step.type != "const"
]
for step in steps:
    names = {a.name for given in step.inputs.values() for a in given.arguments}
    shapes = [arrays[name].shape for name in names & arrays.keys()]
    print(step.type, *sorted(shapes))
# --8<-- [end:read]


# --8<-- [start:folded]
def is_in_file(array):
    same = [a for a in arrays.values() if a.shape == array.shape]
    return any(np.allclose(a, array, atol=1e-5) for a in same)


kernel = model.get_layer("conv").kernel.numpy()
for name in ["bn", "bn_2"]:
    layer = model.get_layer(name)
    gamma, beta, mean, variance = layer.get_weights()
    factor = gamma / np.sqrt(variance + layer.epsilon)
    print(name, "the factor:", is_in_file(factor))
    print(name, "the offset:", is_in_file(beta - mean * factor))
    print(name, "moving_mean:", is_in_file(mean))
    if name == "bn":
        scaled = np.transpose(kernel * factor, (3, 2, 0, 1))
        print(name, "kernel times factor:", is_in_file(scaled))
# --8<-- [end:folded]

# --8<-- [start:compute]
from numpy.lib.stride_tricks import sliding_window_view


def conv(x, weight, bias):
    windows = sliding_window_view(x, weight.shape[2:], axis=(2, 3))
    summed = np.einsum("nchwij,ocij->nohw", windows, weight)
    return summed + bias[:, None, None]


def compute(x):
    """Compute the steps of the file, with its arrays, in NumPy."""
    values = dict(arrays, image=x)
    for step in steps:
        given = {
            key: values[argument.arguments[0].name]
            for key, argument in step.inputs.items()
            if argument.arguments[0].name in values
        }
        if step.type == "conv":
            found = conv(given["x"], given["weight"], given["bias"])
        elif step.type == "transpose":
            found = np.transpose(given["x"], given["perm"])
        elif step.type == "reduce_mean":
            found = given["x"].mean(axis=tuple(given["axes"]))
        elif step.type == "relu":
            found = np.maximum(given["x"], 0)
        else:
            does = {"matmul": np.matmul, "mul": np.multiply, "add": np.add}
            found = does[step.type](given["x"], given["y"])
        values[step.outputs[0].name] = found
    return found


# --8<-- [end:compute]

# --8<-- [start:compare]
expected = model(x, training=False).numpy()
np.testing.assert_allclose(compute(x), expected, atol=1e-4)
np.testing.assert_allclose(compute(x[:1]), expected[:1], atol=1e-4)
print(len(expected), "predictions within 1e-4, and one alone")

training = model(x, training=True).numpy()
print(
    "training mode is that near:", np.allclose(compute(x), training, atol=1e-4)
)
# --8<-- [end:compare]

# --8<-- [start:versions]
from importlib.metadata import version

for library in ["tensorflow", "keras", "coremltools"]:
    print(library, version(library))
# --8<-- [end:versions]
