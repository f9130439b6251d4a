# --8<-- [start:see]
import keras
import numpy as np

model = keras.Sequential(
    [keras.Input(shape=(4,)), keras.layers.BatchNormalization()]
)
model(np.random.normal(5, 3, size=(64, 4)), training=True)
try:
    model.save("model")
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:see]

# --8<-- [start:format]
try:
    model.save("model", save_format="tf")
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:format]

# --8<-- [start:fix]
model.save("model.keras")
loaded = keras.saving.load_model("model.keras")
for saved, array in zip(model.weights, loaded.weights, strict=True):
    np.testing.assert_array_equal(saved, array)
learned = bool(np.all(loaded.layers[0].moving_mean != 0))
print(f"{len(loaded.weights)} arrays equal, statistics learned: {learned}")

model.export("folder", verbose=False)
# --8<-- [end:fix]

# --8<-- [start:sure]
import os

for path in ["model.keras", "folder"]:
    print(f"{path:12}", "folder" if os.path.isdir(path) else "file")
# --8<-- [end:sure]
