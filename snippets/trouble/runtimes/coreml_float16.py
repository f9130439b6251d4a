# --8<-- [start:setup]
import coremltools as ct
import keras
import numpy as np
import tensorflow as tf
from coremltools.optimize.coreml import get_weights_metadata

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input(shape=(2,)),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.Dense(1, use_bias=False, name="head"),
    ]
)
x = np.random.normal([0.5, 9e6], [0.1, 3e6], (256, 2)).astype("float32")
bn = model.get_layer("bn")  # as after training on such rows
bn.moving_mean.assign(x.mean(axis=0))
bn.moving_variance.assign(x.var(axis=0))


@tf.function(input_signature=[tf.TensorSpec((1, 2), name="row")])
def infer(row):
    return model(row, training=False)


def convert(file, **options):
    """Convert the model, and return the arrays in the file."""
    function = infer.get_concrete_function()
    converted = ct.convert([function], source="tensorflow", **options)
    converted.save(file)
    package = ct.models.MLModel(file, skip_model_load=True)
    told = get_weights_metadata(package, weight_threshold=2)
    arrays = {name: each.val for name, each in told.items()}
    print(*(array.dtype for array in arrays.values()))
    return arrays


# --8<-- [end:setup]


# --8<-- [start:see]
def compute(arrays, x):
    """Compute the three steps of the file in the type of its arrays."""
    factor, offset, kernel = (find(arrays, part) for part in PARTS)
    with np.errstate(over="ignore", invalid="ignore"):
        return (x.astype(factor.dtype) * factor + offset) @ kernel


def find(arrays, part):
    (name,) = (name for name in arrays if part in name)
    return arrays[name]


PARTS = ["batchnorm_mul", "batchnorm_sub", "head"]
expected = model(x, training=False).numpy()

arrays = convert("default.mlpackage")
found = compute(arrays, x)
print("finite:", np.isfinite(found).mean() == 1)
# --8<-- [end:see]

# --8<-- [start:why]
print("largest float16:", int(np.finfo("float16").max))
print("rows above it:", np.mean(x[:, 1] > 65504) > 0.5)
factor = bn.gamma.numpy() / np.sqrt(bn.moving_variance.numpy() + bn.epsilon)
kept = find(arrays, "batchnorm_mul").astype("float32")
print("factors kept to 0.1 %:", np.abs(kept / factor - 1) < 1e-3)
# --8<-- [end:why]

# --8<-- [start:fix]
arrays = convert("net.mlpackage", compute_precision=ct.precision.FLOAT32)
found = compute(arrays, x)
np.testing.assert_allclose(found, expected, atol=1e-4)
print(len(found), "predictions within 1e-4")
# --8<-- [end:fix]

# --8<-- [start:sure]
scaled = x / np.float32([1, 1e6])  # in millions, before training and after
bn.moving_mean.assign(scaled.mean(axis=0))
bn.moving_variance.assign(scaled.var(axis=0))
found = compute(convert("scaled.mlpackage"), scaled)
print("within 0.01:", np.allclose(found, expected, atol=0.01))
# --8<-- [end:sure]
