# --8<-- [start:setup]
import keras
import numpy as np


def build(classes):
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.BatchNormalization(name="bn"),
            keras.layers.Dense(classes, name="head"),
        ]
    )


x = np.random.normal(5, 3, size=(256, 8)).astype("float32")
model = build(2)
for _ in range(100):
    model(x, training=True)
model.save("model.h5")
# --8<-- [end:setup]

# --8<-- [start:see]
for classes in [2, 3]:
    try:
        build(classes).load_weights("model.h5")
        print(f"{classes} classes: loaded")
    except ValueError as error:
        print(f"{classes} classes: ValueError:", error)
# --8<-- [end:see]

# --8<-- [start:fix]
import warnings

net = build(3)
kernel = net.get_layer("head").kernel.numpy()
with warnings.catch_warnings(record=True, action="always") as caught:
    net.load_weights("model.h5", skip_mismatch=True)
# --8<-- [end:fix]

# --8<-- [start:sure]
for warning in caught:
    print("UserWarning:", str(warning.message).partition(" for weight")[0])
for layer, arrays in {
    "bn": model.get_layer("bn").get_weights(),
    "head": [kernel],
}.items():
    loaded = net.get_layer(layer).get_weights()
    print(layer, all(map(np.array_equal, arrays, loaded)))
# --8<-- [end:sure]
