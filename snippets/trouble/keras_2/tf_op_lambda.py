# --8<-- [start:write]
import numpy as np
import tensorflow as tf

layers = tf.keras.layers
tf.keras.utils.set_random_seed(0)
x = np.random.uniform(0, 255, size=(64, 4)).astype("float32")


def save(name, outputs):
    model = tf.keras.Model(inputs, layers.Dense(1, name="head")(outputs))
    for array in model.weights:
        array.assign(np.random.uniform(0.5, 1.5, size=array.shape))
    model.save(f"{name}.h5")
    arrays = {array.name: array.numpy() for array in model.weights}
    out = model(x, training=False)
    np.savez(f"{name}.npz", x=x, predictions=out, **arrays)


inputs = layers.Input((4,))
h = layers.Rescaling(1 / 127.5, offset=-1.0)(inputs)
save("layers", layers.BatchNormalization(name="bn")(h))
h = inputs / 127.5 - 1.0
save("operations", tf.nn.relu(layers.BatchNormalization(name="bn")(h)))
save("slice", layers.BatchNormalization(name="bn")(inputs[:, :2]))
# --8<-- [end:write]

# --8<-- [start:see]
import keras

for name in ["layers", "operations", "slice"]:
    try:
        keras.saving.load_model(f"{name}.h5", compile=False)
        print(f"{name}: loaded")
    except ValueError as error:
        print(f"{name}: ValueError:", str(error).partition(". ")[0])
# --8<-- [end:see]

# --8<-- [start:why]
import json

import h5py

with h5py.File("operations.h5") as file:
    config = json.loads(file.attrs["model_config"])["config"]
for layer in config["layers"]:
    if layer["class_name"] == "TFOpLambda":
        first, _, _, arguments = layer["inbound_nodes"][0]
        print(layer["config"]["function"], "of", first, "with", arguments)
# --8<-- [end:why]

# --8<-- [start:fix]
inputs = keras.Input((4,))
h = keras.layers.BatchNormalization(name="bn")(inputs / 127.5 - 1.0)
outputs = keras.layers.Dense(1, name="head")(keras.ops.relu(h))
model = keras.Model(inputs, outputs)
model.load_weights("operations.h5")
# --8<-- [end:fix]

# --8<-- [start:sure]
import numpy as np

keras2 = np.load("operations.npz")
for array in model.get_layer("bn").weights:
    np.testing.assert_array_equal(array, keras2[f"bn/{array.name}:0"])
out = model(keras2["x"], training=False)
np.testing.assert_allclose(out, keras2["predictions"], atol=1e-4)
print("4 arrays equal, and the predictions")

model.save("model.keras")
again = keras.saving.load_model("model.keras")
np.testing.assert_array_equal(out, again(keras2["x"], training=False))
print("from .keras: equal")
# --8<-- [end:sure]
