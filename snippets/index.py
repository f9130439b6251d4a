# --8<-- [start:train]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(loc=5.0, scale=3.0, size=(256, 4)).astype("float32")
y = x.sum(axis=1)

model = keras.Sequential(
    [
        keras.Input(shape=(4,)),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.Dense(1),
    ]
)
model.compile(optimizer="adam", loss="mse")
model.fit(x, y, epochs=20, verbose=0)
# --8<-- [end:train]

# --8<-- [start:prove]
model.save("model.keras")
reloaded = keras.saving.load_model("model.keras")

for name in ["gamma", "beta", "moving_mean", "moving_variance"]:
    saved = getattr(model.get_layer("bn"), name).numpy()
    loaded = getattr(reloaded.get_layer("bn"), name).numpy()
    print(f"{name:16} equal: {np.array_equal(saved, loaded)}")

np.testing.assert_array_equal(
    model(x, training=False), reloaded(x, training=False)
)
print("predictions equal")
# --8<-- [end:prove]

# --8<-- [start:learned]
layer = reloaded.get_layer("bn")
print("moving_mean still 0:", np.all(layer.moving_mean.numpy() == 0))
print("moving_variance still 1:", np.all(layer.moving_variance.numpy() == 1))
# --8<-- [end:learned]
