# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(256, 8)).astype("float32")
model = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.Dense(4),
        keras.layers.BatchNormalization(),
    ]
)
model.compile(optimizer="adam", loss="mse")
model.fit(x, x[:, :4], verbose=0)
model.save("model.keras")
# --8<-- [end:setup]

# --8<-- [start:see]
loaded = keras.saving.load_model("model.keras")
loaded.compile(optimizer="adam", loss="mse")
print("compiled again: step", int(loaded.optimizer.iterations.numpy()))
# --8<-- [end:see]

# --8<-- [start:fix]
loaded = keras.saving.load_model("model.keras")
print("loaded: step", int(loaded.optimizer.iterations.numpy()))
# --8<-- [end:fix]

# --8<-- [start:sure]
for net in [model, loaded]:
    net.fit(x, x[:, :4], shuffle=False, verbose=0)
equal = [
    map(np.array_equal, *pair) for pair in [(model.weights, loaded.weights)]
]
print("all arrays as if nothing was saved:", all(map(all, equal)))
# --8<-- [end:sure]
