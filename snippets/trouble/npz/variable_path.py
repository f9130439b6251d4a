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
    keys = {}
    for layer in net.layers:
        for variable in layer.weights:
            key = f"{layer.name}/{variable.name}"
            if not variable.path.endswith(key):
                raise ValueError(f"{layer.name} has layers of its own")
            keys[key] = variable
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
outer = keras.Sequential([keras.Input((4,)), build(), keras.layers.Dense(1)])
try:
    keyed(outer)
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:inner]
