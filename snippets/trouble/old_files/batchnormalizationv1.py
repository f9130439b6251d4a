# --8<-- [start:write]
import numpy as np
import tensorflow as tf

layers = tf.keras.layers
tf.set_random_seed(0)
x = (np.random.RandomState(0).randn(16, 4) * 3 + 5).astype("float32")
inputs = tf.keras.Input(shape=(4,))
y = layers.BatchNormalization(momentum=0.5, name="bn")(inputs)
model = tf.keras.Model(inputs, layers.Dense(2, name="dense")(y))
model.compile("adam", "mse")
model.fit(x, x[:, :2], epochs=3, verbose=0)
model.save("old.h5", include_optimizer=False)
np.savez("old.npz", *model.get_weights(), x=x, out=model.predict(x))
# --8<-- [end:write]

# --8<-- [start:see]
import keras

known = {"BatchNormalizationV1": keras.layers.BatchNormalization}
for custom_objects in [None, known]:
    try:
        keras.saving.load_model(
            "old.h5", custom_objects=custom_objects, compile=False
        )
    except (TypeError, ValueError) as error:
        said = str(error).split(". ")[0].split(" 'bn'")[0]
        print(f"{type(error).__name__}: {said}")
# --8<-- [end:see]

# --8<-- [start:why]
import h5py

with h5py.File("old.h5") as file:
    text = file.attrs["model_config"]
for part in ['"class_name": "BatchNormalizationV1"', '"dtype": "float32"']:
    print(part, text.count(part))
# --8<-- [end:why]

# --8<-- [start:fix]
import json
import shutil


def mend(thing):
    """Return a part of a config of TensorFlow 1.13 as Keras 3 reads it."""
    if thing.get("class_name") == "BatchNormalizationV1":
        thing["class_name"] = "BatchNormalization"
    for key, value in thing.items():
        if key.endswith("_initializer") and value:
            value["config"].pop("dtype", None)
    return thing


shutil.copy("old.h5", "mended.h5")
with h5py.File("mended.h5", "r+") as file:
    config = json.loads(file.attrs["model_config"], object_hook=mend)
    file.attrs["model_config"] = json.dumps(config)
model = keras.saving.load_model("mended.h5", compile=False)
# --8<-- [end:fix]

# --8<-- [start:sure]
import numpy as np

then = np.load("old.npz")
for i, array in enumerate(model.get_weights()):
    np.testing.assert_array_equal(array, then[f"arr_{i}"])
equal = np.allclose(model.predict(then["x"], verbose=0), then["out"], 1e-4)
print(f"{i + 1} arrays as then, predictions as then: {equal}")
model.get_layer("bn").moving_mean.assign([0] * 4)
equal = np.allclose(model.predict(then["x"], verbose=0), then["out"], 1e-4)
print("with another moving_mean:", equal)
# --8<-- [end:sure]
