# --8<-- [start:setup]
import keras
import numpy as np


def build(bn1=True, bn2=True, *more):
    layers = [
        keras.layers.BatchNormalization(name="bn1", trainable=bn1),
        keras.layers.ReLU(),
        keras.layers.BatchNormalization(name="bn2", trainable=bn2),
        *more,
    ]
    inner = keras.Sequential([keras.Input(shape=(8,)), *layers], name="inner")
    return keras.Sequential([inner, keras.layers.Dense(1, name="head")])


def arrays(net):
    return {
        f"{layer.name} {variable.name}": variable.numpy()
        for layer in net.get_layer("inner").layers
        for variable in layer.weights
    }


np.random.seed(0)
x = np.random.normal(size=(256, 8)).astype("float32")
model = build()
for layer in model.get_layer("inner").layers:
    for variable in layer.weights:
        variable.assign(np.random.normal(size=8))
    if layer.weights:
        layer.moving_variance.assign(np.random.uniform(1, 2, size=8))
model.save("model.h5")
# --8<-- [end:setup]

# --8<-- [start:see]
half = build(bn1=False)
half.load_weights("model.h5")
for name, loaded in arrays(half).items():
    for source, saved in arrays(model).items():
        if np.array_equal(saved, loaded):
            note = "" if source == name else "  <- wrong"
            print(f"{name:19} holds {source:19}{note}".rstrip())
# --8<-- [end:see]

# --8<-- [start:nan]
for flags in [(True, True), (False, False)]:
    net = build(*flags)
    net.load_weights("model.h5")
    negative = np.any(arrays(net)["bn1 moving_variance"] < 0)
    nan = np.any(np.isnan(net(x, training=False)))
    print(f"{flags!s:15} negative variance: {negative}  NaN: {nan}")
# --8<-- [end:nan]

# --8<-- [start:shapes]
build(True, True, keras.layers.Dense(4)).save("dense.h5")
for bn1 in [True, False]:
    try:
        build(bn1, True, keras.layers.Dense(4)).load_weights("dense.h5")
        print("loaded")
    except ValueError as error:
        print("ValueError:", error)
# --8<-- [end:shapes]

# --8<-- [start:why]
import h5py

with h5py.File("model.h5") as file:
    print(*file["model_weights/inner"].attrs["weight_names"], sep="\n")
# --8<-- [end:why]

# --8<-- [start:fix]
net = build()  # with the flags that the model had when it was saved
net.load_weights("model.h5")
net.get_layer("inner").trainable = False

for name, saved in arrays(model).items():
    np.testing.assert_array_equal(saved, arrays(net)[name])
print(len(arrays(net)), "arrays of the inner model equal")
# --8<-- [end:fix]

# --8<-- [start:unknown]
half = build(bn1=False)
half.set_weights(model.get_weights())
half.save("half.h5")

whole = keras.saving.load_model("half.h5")
for name in ["bn1", "bn2"]:
    layer = whole.get_layer("inner").get_layer(name)
    print(f"{name} trainable: {layer.trainable}")
equal = np.array_equal(model(x, training=False), whole(x, training=False))
print("predictions equal:", equal)
# --8<-- [end:unknown]

# --8<-- [start:sure]
whole.save_weights("model.weights.h5")
for flags in [(True, True), (True, False), (False, True), (False, False)]:
    equal = []
    for file in ["model.h5", "model.weights.h5"]:
        net = build(*flags)
        net.load_weights(file)
        outputs = [each(x, training=False) for each in (model, net)]
        equal.append(np.array_equal(*outputs))
    print(f"{flags!s:15} .h5: {equal[0]!s:6} .weights.h5: {equal[1]}")
# --8<-- [end:sure]
