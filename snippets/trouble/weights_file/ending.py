# --8<-- [start:see]
import keras
import numpy as np


def build_model():
    return keras.Sequential(
        [keras.Input(shape=(4,)), keras.layers.BatchNormalization()]
    )


model = build_model()
model(np.random.normal(5, 3, size=(64, 4)), training=True)
for path in ["model", "model.h5", "model.keras"]:
    try:
        model.save_weights(path)
    except ValueError as error:
        print("ValueError:", error)
# --8<-- [end:see]

# --8<-- [start:fix]
model.save_weights("model.weights.h5")
# --8<-- [end:fix]

# --8<-- [start:sure]
loaded = build_model()
for when in ["before", "after"]:
    if when == "after":
        loaded.load_weights("model.weights.h5")
    equal = sum(map(np.array_equal, model.weights, loaded.weights))
    print(f"{when} loading: {equal} of 4 arrays equal")
# --8<-- [end:sure]
