# --8<-- [start:setup]
import keras
import numpy as np

x = np.random.normal(5, 3, size=(64, 8)).astype("float32")


def build_model(data, adapted=True):
    layers = [keras.layers.Normalization()] if adapted else []
    for layer in layers:
        layer.adapt(data)
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            *layers,
            keras.layers.BatchNormalization(),
        ]
    )


# --8<-- [end:setup]


# --8<-- [start:see]
def right(outputs, saved):
    return np.allclose(outputs, saved(x, training=False), atol=1e-4)


for adapted in [False, True]:
    saved = build_model(x, adapted)
    saved(x, training=True)
    saved.save_weights("model.weights.h5")

    early = build_model(10 * x, adapted)
    early.predict(x, verbose=0)
    print(f"Normalization: {adapted}")
    print("    before, call right:", right(early(x, training=False), saved))
    early.load_weights("model.weights.h5")
    print("    after, call right:", right(early(x, training=False), saved))
    predicted = early.predict(x, verbose=0)
    print("    after, predict right:", right(predicted, saved))
# --8<-- [end:see]

# --8<-- [start:fix]
loaded = build_model(10 * x)
loaded.load_weights("model.weights.h5")
print("loaded first:", right(loaded.predict(x, verbose=0), saved))
# --8<-- [end:fix]

# --8<-- [start:sure]
for net in [loaded, early]:
    call, predicted = net(x, training=False), net.predict(x, verbose=0)
    print("predict as call:", np.allclose(predicted, call, atol=1e-4))

early.predict_function = None
print("traced again:", right(early.predict(x, verbose=0), saved))
# --8<-- [end:sure]
