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
def predict_is_right(net):
    outputs = net.predict(x, verbose=0)
    return np.allclose(outputs, net(x, training=False), atol=1e-4)


for adapted in [True, False]:
    model = build_model(x, adapted)
    model(x, training=True)
    model.save_weights(f"{adapted}.weights.h5")

    early = build_model(10 * x, adapted)
    early.predict(x, verbose=0)
    early.load_weights(f"{adapted}.weights.h5")
    call = np.allclose(early(x, training=False), model(x, training=False))
    print(f"Normalization: {adapted}")
    print(f"    call right: {call}, predict right: {predict_is_right(early)}")
# --8<-- [end:see]

# --8<-- [start:fix]
loaded = build_model(10 * x)
loaded.load_weights("True.weights.h5")
print("loaded first:", predict_is_right(loaded))
# --8<-- [end:fix]

# --8<-- [start:sure]
early = build_model(10 * x)
early.predict(x, verbose=0)
early.load_weights("True.weights.h5")
print("predicted first:", predict_is_right(early))

early.predict_function = None
print("traced again:", predict_is_right(early))
# --8<-- [end:sure]
