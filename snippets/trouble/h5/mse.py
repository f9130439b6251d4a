# --8<-- [start:setup]
import keras
import numpy as np

x = np.random.normal(5, 3, size=(256, 8)).astype("float32")
model = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.Dense(4),
        keras.layers.BatchNormalization(),
    ]
)
for _ in range(100):
    model(x, training=True)
# --8<-- [end:setup]

# --8<-- [start:see]
for loss in ["mean_squared_error", "mse"]:
    model.compile(optimizer="sgd", loss=loss)
    model.save(f"{loss}.h5")
    try:
        keras.saving.load_model(f"{loss}.h5")
        print(f"{loss}: loaded")
    except ValueError as error:
        print(f"{loss}: ValueError:", error)
# --8<-- [end:see]

# --8<-- [start:fix]
loaded = keras.saving.load_model("mse.h5", compile=False)
loaded.compile(optimizer="sgd", loss="mse")
# --8<-- [end:fix]

# --8<-- [start:sure]
for saved, array in zip(model.weights, loaded.weights, strict=True):
    np.testing.assert_array_equal(saved, array)
print(len(loaded.weights), "arrays equal")

loaded.save("mse.keras")
print(keras.saving.load_model("mse.keras").loss)
# --8<-- [end:sure]
