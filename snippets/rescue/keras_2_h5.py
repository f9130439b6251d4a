# --8<-- [start:write]
import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 6, 6, 3)).astype("float32")
y = x[:, 0, 0, :1]

model = tf.keras.Sequential(
    [
        tf.keras.layers.InputLayer((6, 6, 3)),
        tf.keras.layers.Conv2D(4, 3, name="conv"),
        tf.keras.layers.BatchNormalization(name="bn"),
        tf.keras.layers.ReLU(),
        tf.keras.layers.GlobalAveragePooling2D(),
        tf.keras.layers.Dense(1, name="head"),
    ]
)
model.compile(tf.keras.optimizers.Adam(0.01), loss="mse")
model.fit(x, y, epochs=5, batch_size=8, verbose=0)

model.save("model.h5")
model.save_weights("weights.h5")
arrays = {array.name: array.numpy() for array in model.weights}
np.savez("keras2.npz", x=x, predictions=model(x, training=False), **arrays)
print(len(arrays), "arrays in 2 files")
# --8<-- [end:write]

# --8<-- [start:build]
import keras
import numpy as np


def build_model():
    return keras.Sequential(
        [
            keras.Input(shape=(6, 6, 3)),
            keras.layers.Conv2D(4, 3, name="conv"),
            keras.layers.BatchNormalization(name="bn"),
            keras.layers.ReLU(),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(1, name="head"),
        ]
    )


# --8<-- [end:build]

# --8<-- [start:weights]
model = build_model()
model.load_weights("model.h5")
# --8<-- [end:weights]


# --8<-- [start:compare]
def compare(model, file="keras2.npz"):
    keras2 = np.load(file)
    bn = model.get_layer("bn")
    for name in ["gamma", "beta", "moving_mean", "moving_variance"]:
        np.testing.assert_array_equal(getattr(bn, name), keras2[f"bn/{name}:0"])
    rest = [*model.get_layer("conv").weights, *model.get_layer("head").weights]
    for array in rest:
        layer, name = array.path.split("/")[-2:]
        np.testing.assert_array_equal(array, keras2[f"{layer}/{name}:0"])
    predictions = model(keras2["x"], training=False)
    np.testing.assert_allclose(predictions, keras2["predictions"], atol=1e-4)
    print("4 arrays of bn and", len(rest), "others equal; predictions equal")


try:
    compare(build_model())
except AssertionError:
    print("before: not equal")
compare(model)
# --8<-- [end:compare]

# --8<-- [start:weights_file]
model = build_model()
model.load_weights("weights.h5")
compare(model)
# --8<-- [end:weights_file]

# --8<-- [start:whole]
model = keras.saving.load_model("model.h5", compile=False)
compare(model)
# --8<-- [end:whole]

# --8<-- [start:settings]
import json

import h5py

with h5py.File("model.h5") as file:
    print("written by Keras", file.attrs["keras_version"])
    settings = json.loads(file.attrs["training_config"])
optimizer = settings["optimizer_config"]
print(optimizer["class_name"], round(optimizer["config"]["learning_rate"], 4))
print("loss:", settings["loss"])
# --8<-- [end:settings]

# --8<-- [start:compile]
model.save("model.keras")

model.compile(keras.optimizers.Adam(0.01), loss="mse")
# --8<-- [end:compile]

# --8<-- [start:reload]
import keras
import numpy as np

reloaded = keras.saving.load_model("model.keras")
keras2 = np.load("keras2.npz")
bn = reloaded.get_layer("bn")
for name in ["gamma", "beta", "moving_mean", "moving_variance"]:
    value = getattr(bn, name).numpy()
    np.testing.assert_array_equal(value, keras2[f"bn/{name}:0"])
    assert not np.array_equal(value, np.zeros(4))
    assert not np.array_equal(value, np.ones(4))
np.testing.assert_allclose(
    reloaded(keras2["x"], training=False), keras2["predictions"], atol=1e-4
)
print("4 arrays of bn and the predictions equal, in a new process")
# --8<-- [end:reload]

# --8<-- [start:fit]
x = np.load("keras2.npz")["x"]
model.fit(x, x[:, 0, 0, :1], epochs=1, batch_size=8, verbose=0)
print("trained on to step", int(model.optimizer.iterations))
# --8<-- [end:fit]
