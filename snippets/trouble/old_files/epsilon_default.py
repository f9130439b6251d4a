# --8<-- [start:old]
import numpy as np
from keras.layers import BatchNormalization, Dense
from keras.models import Sequential

np.random.seed(0)
x = (np.random.randn(512, 3) * 0.02 + 5).astype("float32")
model = Sequential()
model.add(Dense(4, input_dim=3))
model.add(BatchNormalization(momentum=0.9))
model.add(Dense(1))
model.compile("adam", "mse")
model.fit(x, x[:, :1] - x[:, 1:2], nb_epoch=20, verbose=0)
model.save_weights("old.h5")
np.savez("old.npz", x=x, predictions=model.predict(x))
# --8<-- [end:old]

# --8<-- [start:setup]
import keras
import numpy as np


def build_model(**settings):
    return keras.Sequential(
        [
            keras.Input(shape=(3,)),
            keras.layers.Dense(4),
            keras.layers.BatchNormalization(name="bn", **settings),
            keras.layers.Dense(1),
        ]
    )


def off(name, model):
    """Return how far a model is from what the old Keras predicted."""
    old = np.load(f"{name}.npz")
    now = model.predict(old["x"], verbose=0)
    return np.max(np.abs(now - old["predictions"]))


# --8<-- [end:setup]

# --8<-- [start:see]
for settings in [{}, {"epsilon": 1e-5}]:
    model = build_model(**settings)
    model.load_weights("old.h5")
    print(settings or "default", "off by 0.01:", off("old", model) > 0.01)
# --8<-- [end:see]

# --8<-- [start:why]
bn = model.get_layer("bn")
variance = bn.moving_variance.numpy()
print("variance below 0.01:", np.all(variance < 0.01))
factor = np.sqrt((variance + 0.001) / (variance + 1e-5))
print("too small by more than 10 %:", np.any(factor > 1.1))
# --8<-- [end:why]

# --8<-- [start:fix]
fixed = build_model(epsilon=1e-5)
fixed.load_weights("old.h5")
print("off by 1e-4:", off("old", fixed) > 1e-4)
# --8<-- [end:fix]

# --8<-- [start:sure]
fixed.save("today.keras")
reloaded = keras.saving.load_model("today.keras")
print("epsilon in the file:", reloaded.get_layer("bn").epsilon)
for before, after in zip(fixed.weights, reloaded.weights, strict=True):
    np.testing.assert_array_equal(before, after)
print("off by 1e-4:", off("old", reloaded) > 1e-4)
# --8<-- [end:sure]
