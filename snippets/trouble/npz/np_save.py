# --8<-- [start:see]
import keras
import numpy as np

x = np.random.normal(5, 3, size=(256, 8)).astype("float32")
model = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(3),
    ]
)
for _ in range(100):
    model(x, training=True)
try:
    np.save("weights.npy", model.get_weights())
except ValueError as error:
    print("ValueError:", str(error).partition(". The requested")[0])
# --8<-- [end:see]

# --8<-- [start:fix]
np.savez("weights.npz", *model.get_weights())
# --8<-- [end:fix]

# --8<-- [start:sure]
with np.load("weights.npz") as saved:
    arrays = [saved[f"arr_{i}"] for i in range(len(saved))]
same = sum(map(np.array_equal, arrays, model.get_weights()))
print(f"{same} of {len(model.weights)} arrays equal")
print("moving_mean still 0:", not arrays[2].any())
# --8<-- [end:sure]
