# --8<-- [start:write]
import numpy as np
from tensorflow import keras

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 8)).astype("float32")
model = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.Dense(4, name="dense"),
        keras.layers.BatchNormalization(name="bn"),
    ]
)
model.compile("sgd", "mean_squared_error")
model.fit(x, x[:, :4], verbose=0)
model.save("old.keras")

expected = {"x": x, "old-predictions": model(x, training=False)}
for array in ["gamma", "beta", "moving_mean", "moving_variance"]:
    expected[f"old-bn-{array}"] = getattr(model.get_layer("bn"), array)
np.savez("old.npz", **expected)
# --8<-- [end:write]

# --8<-- [start:today]
import keras

model = keras.Sequential(
    [keras.Input(shape=(8,)), keras.layers.BatchNormalization()]
)
model.save("today.keras")
# --8<-- [end:today]

# --8<-- [start:see]
for path in ["today.keras", "old.keras"]:
    try:
        keras.saving.load_model(path)
        print(f"{path}: loaded")
    except ValueError as error:
        print("ValueError:", str(error).partition(". ")[0])
# --8<-- [end:see]

# --8<-- [start:bytes]
from pathlib import Path

for path in ["today.keras", "old.keras"]:
    print(f"{path:11}", Path(path).read_bytes()[:4])
# --8<-- [end:bytes]

# --8<-- [start:fix]
import shutil

shutil.copy("old.keras", "old.h5")
loaded = keras.saving.load_model("old.h5", compile=False)
# --8<-- [end:fix]

# --8<-- [start:sure]
import numpy as np

expected = np.load("old.npz")
bn = loaded.get_layer("bn")
for array in ["gamma", "beta", "moving_mean", "moving_variance"]:
    wanted = expected[f"old-bn-{array}"]
    np.testing.assert_array_equal(getattr(bn, array), wanted)
predictions = loaded(expected["x"], training=False)
wanted = expected["old-predictions"]
# Another version may add up in another order.
np.testing.assert_allclose(predictions, wanted, rtol=1e-4, atol=1e-4)
print("4 arrays equal, and", len(predictions), "predictions")
print("moving_mean still 0:", not np.any(bn.moving_mean))
# --8<-- [end:sure]

# --8<-- [start:weights]
rebuilt = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.Dense(4, name="dense"),
        keras.layers.BatchNormalization(name="bn"),
    ]
)
rebuilt.load_weights("old.h5")
equal = all(map(np.array_equal, rebuilt.get_weights(), loaded.get_weights()))
print("arrays equal:", equal)
# --8<-- [end:weights]
