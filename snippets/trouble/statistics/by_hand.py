# --8<-- [start:setup]
import keras
import numpy as np

x = np.random.normal(10, 3, size=(2000, 5)).astype("float32")


def build():
    return keras.Sequential(
        [
            keras.Input(shape=(5,)),
            keras.layers.SpectralNormalization(keras.layers.Dense(5)),
            keras.layers.Dropout(0.5),  # or noise, or augmentation
            keras.layers.BatchNormalization(name="bn"),
        ]
    )


def facts(estimate):
    def width():
        return np.mean(np.std(net(x, training=False), axis=0))

    net = build()
    layer, kernel = net.get_layer("bn"), net.weights[0].numpy()
    estimate(net, [x])
    yield "outputs as wide as they are to be", abs(width() - 1) < 0.1
    yield "trainable arrays kept", np.array_equal(net.weights[0], kernel)
    yield "momentum kept", layer.momentum == 0.99
    estimate(net, [x, -x])
    yield "all batches count", np.allclose(layer.moving_mean, 0, atol=0.1)
    layer.moving_mean.assign(np.full(5, np.nan))
    estimate(net, [x])
    yield "NaN replaced", np.all(np.isfinite(layer.moving_mean))
    net = keras.Sequential([keras.Input(shape=(5,)), build()])
    net.layers[0].layers[1].rate = 0.0
    estimate(net, [x])
    yield "layers of a model inside found", abs(width() - 1) < 0.1


# --8<-- [end:setup]


# --8<-- [start:see]
def momentum_0(model, batches):
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    for batch in batches:
        model(batch, training=True)


for fact, right in facts(momentum_0):
    print(f"{fact:34} {right}")
# --8<-- [end:see]

# --8<-- [start:fix]
from bn_tools import estimate_again

for fact, right in facts(estimate_again):
    print(f"{fact:34} {right}")
# --8<-- [end:fix]

# --8<-- [start:sure]
for estimate in [momentum_0, estimate_again]:
    model = build()
    before = model.get_weights()
    estimate(model, [x])
    pairs = zip(before, model.weights)
    changed = [v.name for old, v in pairs if not np.array_equal(old, v)]
    print(estimate.__name__, "changes", *changed)
# --8<-- [end:sure]
