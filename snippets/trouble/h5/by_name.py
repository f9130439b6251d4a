# --8<-- [start:setup]
import keras
import numpy as np


def build(bn):
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.Dense(4, name="dense"),
            keras.layers.BatchNormalization(name=bn),
        ]
    )


x = np.random.normal(5, 3, size=(256, 8)).astype("float32")
model = build(bn="bn")
for variable in model.get_layer("bn").weights:
    variable.assign(np.full(4, 2))
model.save("model.h5")
# --8<-- [end:setup]

# --8<-- [start:see]
import warnings

for name in ["bn", "norm"]:
    net = build(bn=name)
    with warnings.catch_warnings(record=True, action="always") as caught:
        net.load_weights("model.h5", by_name=True)
    print(f"{name}: {len(caught)} warnings")
    for variable in net.get_layer(name).weights:
        print(f"  {variable.name:16} {variable.numpy()}")
# --8<-- [end:see]

# --8<-- [start:fix]
net = build(bn="norm")
net.load_weights("model.h5")
# --8<-- [end:fix]

# --8<-- [start:sure]
for saved, array in zip(model.weights, net.weights, strict=True):
    np.testing.assert_array_equal(saved, array)
print(len(net.weights), "arrays equal")
# --8<-- [end:sure]
