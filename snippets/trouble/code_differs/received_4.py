# --8<-- [start:setup]
import keras
import numpy as np
from keras import layers


def build(third=False, **settings):
    bn3 = layers.BatchNormalization(name="bn3")
    return keras.Sequential(
        [
            keras.Input(shape=(4,)),
            layers.BatchNormalization(name="bn1", **settings),
            layers.Dense(8, name="dense"),
            *([bn3] if third else []),
            layers.Dense(3, name="out"),
        ]
    )


model = build()
model(np.ones((8, 4)), training=True)
model.save_weights("model.weights.h5")
model.save("model.h5")
build(scale=False).save_weights("no_scale.weights.h5")


def load(net, file, **options):
    try:
        net.load_weights(file, **options)
        print(file, "loads")
    except ValueError as error:
        print("ValueError:", str(error).split("\n\nList")[0])


# --8<-- [end:setup]

# --8<-- [start:see]
load(build(), "model.weights.h5")
load(build(scale=False), "model.weights.h5")
# --8<-- [end:see]

# --8<-- [start:reverse]
load(build(), "no_scale.weights.h5")
# --8<-- [end:reverse]

# --8<-- [start:weights]
load(build(), "model.h5")
load(build(scale=False), "model.h5")
# --8<-- [end:weights]

# --8<-- [start:layers]
load(build(third=True), "model.h5")
# --8<-- [end:layers]

# --8<-- [start:by_name]
load(build(), "model.weights.h5", by_name=True)
# --8<-- [end:by_name]

# --8<-- [start:fix]
for scale, file in [(True, "model"), (False, "no_scale")]:
    load(build(scale=scale), f"{file}.weights.h5")
# --8<-- [end:fix]

# --8<-- [start:sure]
import h5py

for file in ["model.weights.h5", "no_scale.weights.h5"]:
    with h5py.File(file) as opened:
        count = len(opened["layers/batch_normalization/vars"])
    for scale in [True, False]:
        bn1 = build(scale=scale).get_layer("bn1")
        print(f"{file:20} {count} arrays, scale={scale}: {len(bn1.weights)}")
# --8<-- [end:sure]
