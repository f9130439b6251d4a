# --8<-- [start:setup]
import keras
import numpy as np


def build():
    return keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.Dense(8, name="dense"),
            keras.layers.BatchNormalization(name="bn"),
        ]
    )


model = build()
model.save("whole.keras")
others = {
    "the model itself": model,
    "the function again": build(),
    "load_model": keras.saving.load_model("whole.keras"),
}
# --8<-- [end:setup]

# --8<-- [start:see]
np.savez("paths.npz", **{v.path: v.numpy() for v in model.weights})
with np.load("paths.npz") as saved:
    for way, net in others.items():
        found = sum(v.path in saved.files for v in net.weights)
        path = net.get_layer("bn").moving_mean.path
        print(f"{way:18}  {path:27}  keys found: {found} of 6")
# --8<-- [end:see]


# --8<-- [start:fix]
def keyed(net):
    keys = {"/".join(v.path.split("/")[-2:]): v for v in net.weights}
    if len(keys) != len(net.weights):  # two layers share a name
        raise ValueError(f"{len(keys)} keys, {len(net.weights)} arrays")
    return keys


np.savez("named.npz", **{k: v.numpy() for k, v in keyed(model).items()})
# --8<-- [end:fix]

# --8<-- [start:sure]
with np.load("named.npz") as saved:
    for way, net in others.items():
        found = sum(key in saved.files for key in keyed(net))
        print(f"{way:18}  keys found: {found} of 6")

unnamed = [keras.layers.BatchNormalization() for _ in range(2)]
print("unnamed layers share a name:", unnamed[0].name == unnamed[1].name)
# --8<-- [end:sure]

# --8<-- [start:inner]
inputs = keras.Input(shape=(4,))
head = keras.layers.Dense(1, name="head")
print("base and head:", len(keyed(keras.Model(inputs, head(build()(inputs))))))
try:
    keyed(keras.Model(inputs, [build()(inputs), build()(inputs)]))
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:inner]
