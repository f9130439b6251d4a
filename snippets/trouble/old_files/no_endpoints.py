# --8<-- [start:write]
import numpy as np
from tensorflow import keras

x = np.random.normal(5, 3, size=(64, 8)).astype("float32")
model = keras.Sequential([keras.Input(shape=(8,))])
model.add(keras.layers.BatchNormalization(name="bn"))
for weight in model.weights:
    weight.assign(np.random.uniform(0.5, 2, weight.shape))
model.save("traced")
model.save("folder", save_traces=False)
outputs = model.predict(x, verbose=0)
np.savez("expected.npz", *model.get_weights(), x=x, outputs=outputs)
# --8<-- [end:write]

# --8<-- [start:see]
import keras

for folder, endpoint in [
    ("traced", "serving_default"),
    ("traced", "serve"),
    ("folder", "serving_default"),
]:
    try:
        keras.layers.TFSMLayer(folder, call_endpoint=endpoint)
        print(f"{folder}, {endpoint}: loaded")
    except ValueError as error:
        words = str(error).split(" is neither")
        print(f"{folder}: ValueError: {words[0]} is neither an attribute")
        print("    ", words[1].rpartition("argument. ")[2])
# --8<-- [end:see]

# --8<-- [start:fix]
import numpy as np
import tensorflow as tf

model = keras.Sequential([keras.Input(shape=(8,))])
model.add(keras.layers.BatchNormalization(name="bn"))

loaded = tf.saved_model.load("folder")
old = getattr(loaded, "layer_with_weights-0")
bn = model.get_layer("bn")
for name in ["gamma", "beta", "moving_mean", "moving_variance"]:
    getattr(bn, name).assign(getattr(old, name))
# --8<-- [end:fix]

# --8<-- [start:sure]
expected = np.load("expected.npz")
for i, weight in enumerate(model.weights):
    equal = np.array_equal(weight, expected[f"arr_{i}"])
    print(f"{weight.name:16} equal: {equal}")
outputs = model(expected["x"], training=False)
np.testing.assert_allclose(outputs, expected["outputs"], 1e-4, 1e-5)
print("predictions equal within 1e-5")
# --8<-- [end:sure]
