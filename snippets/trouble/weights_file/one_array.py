# --8<-- [start:setup]
import keras
import numpy as np


def build_model(**settings):
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.BatchNormalization(name="bn", **settings),
        ]
    )


x = np.random.normal(5, 3, size=(64, 8)).astype("float32")
model = build_model()
model(x, training=True)
model.get_layer("bn").beta.assign(np.full(8, 0.5))
model.save_weights("model.weights.h5")
# --8<-- [end:setup]

# --8<-- [start:see]
build_model().load_weights("model.weights.h5")
print("with gamma: loaded")
other = build_model(scale=False)
try:
    other.load_weights("model.weights.h5")
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:see]

# --8<-- [start:skip]
import warnings


def report(layer):
    for name in ["beta", "moving_mean", "moving_variance"]:
        saved = getattr(model.get_layer("bn"), name)
        equal = np.array_equal(getattr(layer, name), saved)
        start = np.full(8, name == "moving_variance")
        unset = np.array_equal(getattr(layer, name), start)
        print(f"{name:15} as saved: {equal}, as it starts: {unset}")


bn = other.get_layer("bn")
with warnings.catch_warnings(
    record=True, action="always", category=UserWarning
) as caught:
    other.load_weights("model.weights.h5", skip_mismatch=True)
for warning in caught:
    print("UserWarning:", str(warning.message).split(". ")[0])
report(bn)
# --8<-- [end:skip]

# --8<-- [start:fix]
full = build_model()
full.load_weights("model.weights.h5")
for name in ["beta", "moving_mean", "moving_variance"]:
    getattr(bn, name).assign(getattr(full.get_layer("bn"), name))
# --8<-- [end:fix]

# --8<-- [start:sure]
report(bn)
# --8<-- [end:sure]
