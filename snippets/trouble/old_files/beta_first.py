# --8<-- [start:setup]
import h5py
import keras
import numpy as np


def build_model():
    return keras.Sequential(
        [
            keras.Input(shape=(3,)),
            keras.layers.Dense(4),
            keras.layers.BatchNormalization(name="bn"),
            keras.layers.Dense(1),
        ]
    )


keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(256, 3)).astype("float32")
model = build_model()
model.get_layer("bn").set_weights(np.random.uniform(1, 3, size=(4, 4)))
predictions = model(x, training=False)
model.save("gamma_first.h5")
model.save("beta_first.h5")

# As tf.contrib.keras of TensorFlow 1.2 names the arrays, and in its order.
with h5py.File("beta_first.h5", "r+") as file:
    group = file["model_weights"]["bn"]
    gamma, beta, *statistics = group.attrs["weight_names"]
    group.attrs["weight_names"] = [beta, gamma, *statistics]
# --8<-- [end:setup]


# --8<-- [start:see]
def off(loaded):
    return np.max(np.abs(loaded(x, training=False) - predictions))


for path in ["gamma_first.h5", "beta_first.h5"]:
    loaded = build_model()
    loaded.load_weights(path)
    print(f"{path}: off by more than 0.1: {off(loaded) > 0.1}")
# --8<-- [end:see]


# --8<-- [start:why]
def array_of(name):
    """Return "gamma" for b"bn/gamma:0", or for the same as text."""
    name = name.decode() if isinstance(name, bytes) else name
    return name.split("/")[-1].removesuffix(":0")


for path in ["gamma_first.h5", "beta_first.h5"]:
    with h5py.File(path) as file:
        names = file["model_weights"]["bn"].attrs["weight_names"]
        print(path, [*map(array_of, names)])
# --8<-- [end:why]


# --8<-- [start:fix]
def load_by_array_name(path, model):
    """Load a legacy .h5, and set each BatchNormalization by the names in it."""
    model.load_weights(path)
    layers = [layer for layer in model.layers if layer.weights]
    with h5py.File(path) as file:
        file = file.get("model_weights", file)
        groups = [file[name] for name in file.attrs["layer_names"]]
        groups = [each for each in groups if len(each.attrs["weight_names"])]
        for layer, group in zip(layers, groups, strict=True):
            if isinstance(layer, keras.layers.BatchNormalization):
                variables = {v.name: v for v in layer.weights}
                for name in group.attrs["weight_names"]:
                    variables.pop(array_of(name)).assign(group[name][()])
                if variables:
                    raise ValueError(f"{layer.name}: no {[*variables]}")


loaded = build_model()
load_by_array_name("beta_first.h5", loaded)
print(f"off by more than 1e-5: {off(loaded) > 1e-5}")
# --8<-- [end:fix]

# --8<-- [start:sure]
for before, after in zip(model.weights, loaded.weights, strict=True):
    np.testing.assert_array_equal(before, after)
load_by_array_name("gamma_first.h5", loaded)
print(f"off by more than 1e-5: {off(loaded) > 1e-5}")
# --8<-- [end:sure]
