# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 8)).astype("float32")
normalization = keras.layers.Normalization()
normalization.adapt(x)
model = keras.Sequential(
    [keras.Input(shape=(8,)), normalization, keras.layers.BatchNormalization()]
)
model(x, training=True)  # moves the statistics
# --8<-- [end:setup]


# --8<-- [start:see]
def report(what, other):
    arrays = all(map(np.array_equal, model.weights, other.weights))
    same = np.array_equal(model(x, training=False), other(x, training=False))
    print(f"{what}: arrays equal: {arrays}, predictions equal: {same}")


clone = keras.models.clone_model(model)
report("clone_model", clone)
clone.set_weights(model.get_weights())
report("set_weights", clone)
# --8<-- [end:see]

# --8<-- [start:fix]
for layer in clone.layers:
    if isinstance(layer, keras.layers.Normalization):
        layer.finalize_state()
report("finalize_state", clone)
# --8<-- [end:fix]

# --8<-- [start:sure]
import copy

report("deepcopy", copy.deepcopy(model))
# --8<-- [end:sure]
