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
model.compile(optimizer="adam", loss="mean_squared_error")
model.fit(x, x[:, :4], verbose=0)
model.save("model.keras")
model.save("model.h5")
# --8<-- [end:setup]

# --8<-- [start:see]
for file in ["model.keras", "model.h5"]:
    loaded = keras.saving.load_model(file)
    same = np.array_equal(model(x, training=False), loaded(x, training=False))
    step = int(loaded.optimizer.iterations.numpy())
    print(f"{file}: predictions equal: {same}, step {step}")
    try:
        loaded.fit(x, x[:, :4], verbose=0)
        print("trained to step", int(loaded.optimizer.iterations.numpy()))
    except ValueError as error:
        print("ValueError:", error)
# --8<-- [end:see]

# --8<-- [start:fix]
loaded = keras.saving.load_model("model.h5", compile=False)
loaded.compile(optimizer="adam", loss="mean_squared_error")
# --8<-- [end:fix]

# --8<-- [start:sure]
for saved, array in zip(model.weights, loaded.weights, strict=True):
    np.testing.assert_array_equal(saved, array)
print(len(loaded.weights), "arrays equal")
print("step", int(loaded.optimizer.iterations.numpy()))
loaded.fit(x, x[:, :4], verbose=0)
print("trained to step", int(loaded.optimizer.iterations.numpy()))
# --8<-- [end:sure]
