# --8<-- [start:write_torch]
import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np

x = np.random.default_rng(0).normal(5, 3, (64, 4)).astype("float32")
model = keras.Sequential(
    [
        keras.Input(shape=(4,)),
        keras.layers.BatchNormalization(momentum=0.5),
        keras.layers.Dense(1),
    ]
)
model.compile("adam", "mean_squared_error")
model.train_on_batch(x, x[:, :1])
model.save("by-torch.keras")
outputs = model.predict(x, verbose=0)
np.savez("expected.npz", *model.get_weights(), x=x, outputs=outputs)
# --8<-- [end:write_torch]

# --8<-- [start:see]
import sys

import keras
import numpy as np

sys.modules["torch"] = None  # from here on, as if it were not installed
try:
    keras.saving.load_model("by-torch.keras")
except TypeError as error:
    print("TypeError:", str(error).partition(" Full object")[0])
del sys.modules["torch"]
# --8<-- [end:see]

# --8<-- [start:see_fit]
expected = np.load("expected.npz")
x, outputs = expected["x"], expected["outputs"]


def predicts(model):
    return np.allclose(model.predict(x, verbose=0), outputs, atol=1e-4)


loaded = keras.saving.load_model("by-torch.keras")
print("predicts:", predicts(loaded))
try:
    loaded.fit(x, x[:, :1], verbose=0)
except TypeError as error:
    print("TypeError:", error)
# --8<-- [end:see_fit]

# --8<-- [start:fix]
sys.modules["torch"] = None
loaded = keras.saving.load_model("by-torch.keras", compile=False)
print("predicts:", predicts(loaded))
for i, array in enumerate(loaded.get_weights()):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
print(i + 1, "arrays equal")
# --8<-- [end:fix]

# --8<-- [start:sure]
import json
import zipfile


def optimizer_of(path):
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
    return (config.get("compile_config") or {})["optimizer"]["module"]


loaded.compile("adam", "mean_squared_error")
loaded.fit(x, x[:, :1], batch_size=64, verbose=0)
loaded.save("by-tensorflow.keras")
for name in ["by-torch.keras", "by-tensorflow.keras"]:
    print(f"{name:19} {optimizer_of(name)}")
keras.saving.load_model("by-tensorflow.keras").fit(x, x[:, :1], verbose=0)
print("trained on")
# --8<-- [end:sure]
