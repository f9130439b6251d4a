# --8<-- [start:model]
import keras
import numpy as np


def build():
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.Dense(16, name="dense"),
            keras.layers.BatchNormalization(name="bn"),
            keras.layers.ReLU(),
            keras.layers.Dense(2, activation="softmax", name="head"),
        ]
    )


# --8<-- [end:model]

# --8<-- [start:train]
keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(512, 8)).astype("float32")
y = (x[:, 0] + x[:, 1] > 10).astype("int32")

model = build()
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y, batch_size=64, epochs=5, verbose=0)

predictions = model.predict(x, verbose=0)
np.savez(
    "expected.npz", *model.get_weights(), x=x, y=y, predictions=predictions
)
model.save("net.keras")
model.save_weights("net.weights.h5")
print("trained and saved with", keras.config.backend())
# --8<-- [end:train]

# --8<-- [start:read_jax]
import os

os.environ["KERAS_BACKEND"] = "jax"  # before Keras is imported

import sys

import keras
import numpy as np

loaded = keras.saving.load_model("net.keras")
expected = np.load("expected.npz")

starts = {"gamma": 1, "beta": 0, "moving_mean": 0, "moving_variance": 1}
for i, variable in enumerate(loaded.weights):
    array = variable.numpy()
    equal = np.array_equal(array, expected[f"arr_{i}"])
    learned = np.all(array != starts.get(variable.name, 0))
    print(f"{variable.name:16} learned: {learned}  equal: {equal}")

predictions = loaded.predict(expected["x"], verbose=0)
np.testing.assert_allclose(predictions, expected["predictions"], atol=1e-5)
print(len(predictions), "predictions within 1e-5")
print("backend:", keras.config.backend())
print("TensorFlow imported:", "tensorflow" in sys.modules)
# --8<-- [end:read_jax]

# --8<-- [start:read_torch]
import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch

loaded = keras.saving.load_model("net.keras")
expected = np.load("expected.npz")
x = torch.from_numpy(expected["x"])

weights = loaded.get_weights()
for i, array in enumerate(weights):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
with torch.no_grad():
    predictions = loaded(x, training=False).numpy()
np.testing.assert_allclose(predictions, expected["predictions"], atol=1e-5)
print(len(weights), "arrays equal")
print(len(predictions), "predictions within 1e-5")
print("a torch.nn.Module:", isinstance(loaded, torch.nn.Module))
# --8<-- [end:read_torch]

# --8<-- [start:numpy_backend]
import os

os.environ["KERAS_BACKEND"] = "numpy"
# --8<-- [end:numpy_backend]

# --8<-- [start:read_numpy]
rebuilt = build()
expected = np.load("expected.npz")
predictions = rebuilt.predict(expected["x"], verbose=0)
equal = np.allclose(predictions, expected["predictions"], atol=1e-5)
print("equal before loading:", equal)

rebuilt.load_weights("net.weights.h5")
weights = rebuilt.get_weights()
for i, array in enumerate(weights):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
predictions = rebuilt.predict(expected["x"], verbose=0)
np.testing.assert_allclose(predictions, expected["predictions"], atol=1e-5)
print(len(weights), "arrays equal")
print(len(predictions), "predictions within 1e-5")

rebuilt.compile(loss="sparse_categorical_crossentropy")
try:
    rebuilt.fit(expected["x"], expected["y"], verbose=0)
except NotImplementedError as error:
    print("NotImplementedError:", error)
# --8<-- [end:read_numpy]

# --8<-- [start:versions]
from importlib.metadata import version

for library in ["keras", "tensorflow", "jax", "torch", "numpy"]:
    print(library, version(library).partition("+")[0])
# --8<-- [end:versions]
