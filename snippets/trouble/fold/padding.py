# --8<-- [start:setup]
import keras
import numpy as np

random = np.random.default_rng(0)
x = random.normal(5, 3, (16, 8, 8, 3)).astype("float32")


def build(padding):
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.BatchNormalization(name="bn"),
            keras.layers.Conv2D(4, 3, padding=padding, name="conv"),
        ]
    )
    bn = model.get_layer("bn")
    for variable in bn.variables:
        variable.assign(random.uniform(0.5, 5, variable.shape))
    return model


# --8<-- [end:setup]


# --8<-- [start:see]
def fold_into_next(model):
    bn, conv = model.get_layer("bn"), model.get_layer("conv")
    gamma, beta, mean, variance = bn.get_weights()
    factor = gamma / np.sqrt(variance + bn.epsilon)
    shift = beta - factor * mean
    kernel, *bias = conv.get_weights()
    settings = {**conv.get_config(), "use_bias": True}
    folded = keras.layers.Conv2D.from_config(settings)
    folded.build(x.shape)
    bias = sum(bias) + np.einsum("hwio,i->o", kernel, shift)
    folded.set_weights([kernel * factor[:, None], bias])
    return folded


def report(padding, model, folded):
    outputs = model(x, training=False).numpy()
    error = np.abs(outputs - folded(x)).max(axis=(0, 3)) / np.abs(outputs).max()
    inside = (error[1:-1, 1:-1] < 1e-4).all()
    print(f"{padding:6} inside equal: {inside}  all: {(error < 1e-4).all()}")


for padding in ["valid", "same"]:
    model = build(padding)
    report(padding, model, fold_into_next(model))
# --8<-- [end:see]

# --8<-- [start:fix]
model = build("same")
bn, conv = model.get_layer("bn"), model.get_layer("conv")
assert conv.kernel_size == (3, 3) and conv.strides == (1, 1)
gamma, beta, mean, variance = bn.get_weights()
nothing = mean - beta * np.sqrt(variance + bn.epsilon) / gamma


def with_padding(x):
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
    padded[:, [0, -1]] = nothing
    padded[:, :, [0, -1]] = nothing
    return inner(padded)


inner = build("valid")
inner.set_weights(model.get_weights())
inner = fold_into_next(inner)
# --8<-- [end:fix]

# --8<-- [start:sure]
report("same", model, with_padding)
# --8<-- [end:sure]
