# --8<-- [start:setup]
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 4)).astype("float32")


def build(scale=True):
    return keras.Sequential(
        [
            keras.Input(shape=(4,)),
            layers.BatchNormalization(momentum=0.5, scale=scale, name="bn1"),
            layers.Dense(8, name="dense"),
            layers.BatchNormalization(momentum=0.5, name="bn2"),
        ]
    )


model = build()
for _ in range(20):
    model(x, training=True)
model.save_weights("model.weights.h5")


def tell(net):
    for name in ["bn1", "bn2"]:
        mean = net.get_layer(name).moving_mean.numpy()
        print(f"    {name} moving_mean still 0: {not mean.any()}")


# --8<-- [end:setup]

# --8<-- [start:see]
for scale in [True, False]:
    net = build(scale)
    try:
        net.load_weights("model.weights.h5")
        print("loaded")
    except ValueError:
        print("ValueError")
    tell(net)
# --8<-- [end:see]

# --8<-- [start:fix]
net = build(scale=True)
net.load_weights("model.weights.h5")
tell(net)
# --8<-- [end:fix]

# --8<-- [start:sure]
net = build(scale=False)
before = net.get_weights()
try:
    net.load_weights("model.weights.h5")
except ValueError:
    net.set_weights(before)
tell(net)
# --8<-- [end:sure]
