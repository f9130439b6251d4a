# --8<-- [start:write]
import numpy as np
from tensorflow import keras

inputs = keras.Input(shape=(8,))
outputs = keras.layers.BatchNormalization(name="bn")(inputs)
model = keras.Model(inputs, outputs)
for variable in model.weights:
    variable.assign(np.random.uniform(0.5, 2, size=variable.shape))
model.save("keras_2.keras")
x = np.random.normal(5, 3, size=(64, 8)).astype("float32")
predictions = model(x, training=False)
np.savez("keras_2.npz", *model.get_weights(), x=x, predictions=predictions)
# --8<-- [end:write]

# --8<-- [start:write_tf_keras]
import tf_keras

inputs = tf_keras.Input(shape=(8,))
outputs = tf_keras.layers.BatchNormalization(name="bn")(inputs)
tf_keras.Model(inputs, outputs).save("tf_keras.keras")
# --8<-- [end:write_tf_keras]

# --8<-- [start:build]
import keras


def build_model():
    inputs = keras.Input(shape=(8,))
    outputs = keras.layers.BatchNormalization(name="bn")(inputs)
    return keras.Model(inputs, outputs)


build_model().save("keras_3.keras")
# --8<-- [end:build]


# --8<-- [start:see]
import textwrap


def try_to_load(path):
    try:
        keras.saving.load_model(path)
        print(f"{path}: loaded")
    except TypeError as error:
        message = f"TypeError: {error}".partition(". ")[0]
        print(*textwrap.wrap(message, 77), sep="\n")


for path in ["keras_3.keras", "keras_2.keras"]:
    try_to_load(path)
# --8<-- [end:see]

# --8<-- [start:see_tf_keras]
try_to_load("tf_keras.keras")
# --8<-- [end:see_tf_keras]

# --8<-- [start:why]
import json
import zipfile

for path in ["keras_3.keras", "keras_2.keras", "tf_keras.keras"]:
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
    print(f"{path:14}", config["module"])
# --8<-- [end:why]

# --8<-- [start:fix]
model = build_model()  # your code
model.load_weights("keras_2.keras")
# --8<-- [end:fix]

# --8<-- [start:sure]
import numpy as np

expected = np.load("keras_2.npz")
for i, array in enumerate(model.get_weights()):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
predictions = model(expected["x"], training=False)
# Another version may add up in another order.
np.testing.assert_allclose(predictions, expected["predictions"], rtol=1e-5)
print("4 arrays equal, and", len(predictions), "predictions")
print("moving_mean still 0:", not np.any(model.get_layer("bn").moving_mean))
# --8<-- [end:sure]
