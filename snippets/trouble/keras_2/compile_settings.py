# --8<-- [start:write]
import numpy as np
import tensorflow as tf

layers = tf.keras.layers
tf.keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 4)).astype("float32")
y = (x[:, :1] > 5).astype("float32")


def own_loss(y, outputs):
    return tf.reduce_mean((y - outputs) ** 2)


for name, loss in {
    "name": "binary_crossentropy",
    "object": tf.keras.losses.BinaryCrossentropy(from_logits=True),
    "own": own_loss,
}.items():
    bn = layers.BatchNormalization(name="bn")
    head = layers.Dense(1, name="head")
    model = tf.keras.Sequential([layers.InputLayer((4,)), bn, head])
    model.compile(tf.keras.optimizers.Adam(0.01), loss)
    model.fit(x, y, batch_size=16, verbose=0)
    model.save(f"{name}.h5")
    arrays = {array.name: array.numpy() for array in model.weights}
    np.savez(f"{name}.npz", x=x, y=y, **arrays)
# --8<-- [end:write]

# --8<-- [start:see]
import keras
import numpy as np

for name in ["name", "object", "own"]:
    try:
        model = keras.saving.load_model(f"{name}.h5")
        print(f"{name}: loaded")
    except (TypeError, ValueError) as error:
        message = str(error).strip()
        message = message.partition("encountered: ")[2] or message
        print(f"{name}: {type(error).__name__}:")
        print("  ", message[:73])
# --8<-- [end:see]

# --8<-- [start:fit]
data = np.load("name.npz")
model = keras.saving.load_model("name.h5")
try:
    model.fit(data["x"], data["y"], verbose=0)
except ValueError as error:
    print("ValueError:", str(error)[:60])
# --8<-- [end:fit]

# --8<-- [start:fix]
import json

import h5py

path = "object.h5"
with h5py.File(path) as file:
    settings = json.loads(file.attrs["training_config"])
print(settings["optimizer_config"]["class_name"])
print(settings["loss"]["class_name"], end=", from_logits: ")
print(settings["loss"]["config"]["from_logits"])
print(round(settings["optimizer_config"]["config"]["learning_rate"], 4))

model = keras.saving.load_model(path, compile=False)
model.compile(
    keras.optimizers.Adam(0.01),
    keras.losses.BinaryCrossentropy(from_logits=True),
)
# --8<-- [end:fix]

# --8<-- [start:sure]
keras2 = np.load("object.npz")
for array in model.get_layer("bn").weights:
    np.testing.assert_array_equal(array, keras2[f"bn/{array.name}:0"])
print("4 arrays equal")

model.fit(keras2["x"], keras2["y"], batch_size=16, verbose=0)
print("trained to step", int(model.optimizer.iterations))
# --8<-- [end:sure]
