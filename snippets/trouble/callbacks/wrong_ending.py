# --8<-- [start:see]
import keras
import numpy as np

for arguments in [
    {"filepath": "best"},
    {"filepath": "best.keras", "save_weights_only": True},
    {"filepath": "best.weights.h5"},
]:
    try:
        keras.callbacks.ModelCheckpoint(**arguments)
        print("accepted:", arguments)
    except ValueError as error:
        print("ValueError:", str(error).partition(" Received")[0])
# --8<-- [end:see]


# --8<-- [start:accepted]
def build():
    return keras.Sequential(
        [keras.Input(shape=(4,)), keras.layers.BatchNormalization()]
    )


x = np.random.default_rng(0).normal(5, 3, size=(64, 4))
model = build()
model.compile(optimizer="sgd", loss="mse", run_eagerly=True)
whole = keras.callbacks.ModelCheckpoint("best.weights.h5")
model.fit(x, x, callbacks=[whole], verbose=0)
try:
    build().load_weights("best.weights.h5")
except Exception as error:
    print(f"load_weights: {type(error).__name__}")
loaded = keras.saving.load_model("best.weights.h5", compile=False)
equal = all(map(np.array_equal, model.get_weights(), loaded.get_weights()))
print("load_model, compile=False: arrays equal:", equal)
# --8<-- [end:accepted]

# --8<-- [start:fix]
keras.callbacks.ModelCheckpoint("best.keras")
weights = keras.callbacks.ModelCheckpoint(
    "last.weights.h5", save_weights_only=True
)
# --8<-- [end:fix]

# --8<-- [start:sure]
model.fit(x, x, callbacks=[weights], verbose=0)
reloaded = build()
reloaded.load_weights("last.weights.h5")
equal = all(map(np.array_equal, model.get_weights(), reloaded.get_weights()))
print("load_weights: arrays equal:", equal)
# --8<-- [end:sure]
