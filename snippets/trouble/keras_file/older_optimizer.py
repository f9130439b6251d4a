# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(256, 8)).astype("float32")


def trained():
    model = keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.Dense(4, name="dense"),
            keras.layers.BatchNormalization(),
        ]
    )
    model.compile(optimizer="adam", loss="mse")
    model.fit(x, x[:, :4], verbose=0)
    return model


# --8<-- [end:setup]

# --8<-- [start:see]
import warnings

model = trained()
model.get_layer("dense").trainable = False
model.compile(optimizer=model.optimizer, loss="mse")
model.fit(x, x[:, :4], verbose=0)
model.save("model.keras")
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    loaded = keras.saving.load_model("model.keras")
print(*{f"{w.category.__name__}: {w.message}" for w in caught})
print("saved at step:", int(model.optimizer.iterations.numpy()))
print("loaded at step:", int(loaded.optimizer.iterations.numpy()))
# --8<-- [end:see]

# --8<-- [start:fix]
model = trained()
model.get_layer("dense").trainable = False
model.compile(optimizer="adam", loss="mse")
model.fit(x, x[:, :4], verbose=0)
model.save("model.keras")
# --8<-- [end:fix]

# --8<-- [start:sure]
loaded = keras.saving.load_model("model.keras")
print("saved at step:", int(model.optimizer.iterations.numpy()))
print("loaded at step:", int(loaded.optimizer.iterations.numpy()))
# --8<-- [end:sure]
