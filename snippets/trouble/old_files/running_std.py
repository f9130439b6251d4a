# --8<-- [start:std]
import numpy as np
from keras.layers import BatchNormalization, Dense
from keras.models import Sequential

np.random.seed(0)
x = (np.random.randn(512, 3) * 6 + 5).astype("float32")
model = Sequential()
model.add(Dense(4, input_dim=3))
model.add(BatchNormalization())
model.add(Dense(1))
model.compile("adam", "mse")
model.fit(x, x[:, :1] - x[:, 1:2], nb_epoch=20, verbose=0)
model.save_weights("std.h5")
np.savez("std.npz", x=x, predictions=model.predict(x))
# --8<-- [end:std]

# --8<-- [start:variance]
import numpy as np
from keras.layers import BatchNormalization, Dense
from keras.models import Sequential

np.random.seed(0)
x = (np.random.randn(512, 3) * 6 + 5).astype("float32")
model = Sequential()
model.add(Dense(4, input_dim=3))
model.add(BatchNormalization())
model.add(Dense(1))
model.compile("adam", "mse")
model.fit(x, x[:, :1] - x[:, 1:2], nb_epoch=20, verbose=0)
model.save_weights("variance.h5")
np.savez("variance.npz", x=x, predictions=model.predict(x))
# --8<-- [end:variance]

# --8<-- [start:setup]
import keras
import numpy as np


def build_model(epsilon):
    return keras.Sequential(
        [
            keras.Input(shape=(3,)),
            keras.layers.Dense(4),
            keras.layers.BatchNormalization(epsilon=epsilon, name="bn"),
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
models = {"std": build_model(1e-6), "variance": build_model(0.001)}
for name, model in models.items():
    model.load_weights(f"{name}.h5")
    print(f"{name}.h5: off by more than 1: {off(name, model) > 1}")
# --8<-- [end:see]


# --8<-- [start:fix]
def std_to_variance(layer):
    std = layer.moving_variance.numpy()
    layer.moving_variance.assign((std + layer.epsilon) ** 2 - layer.epsilon)


for name, model in models.items():
    std_to_variance(model.get_layer("bn"))
    print(f"{name}.h5: off by more than 1: {off(name, model) > 1}")
    print(f"{name}.h5: off by more than 1e-4: {off(name, model) > 1e-4}")
# --8<-- [end:fix]

# --8<-- [start:sure]
for name, model in models.items():
    model.load_weights(f"{name}.h5")
    inputs = model.layers[0](np.load(f"{name}.npz")["x"])
    std = np.std(inputs, axis=0)
    stored = model.get_layer("bn").moving_variance.numpy()
    distances = {
        what: np.abs(np.log(stored / expected)).mean()
        for what, expected in {"std": std, "variance": std**2}.items()
    }
    print(f"{name}.h5 holds a {min(distances, key=distances.get)}")
# --8<-- [end:sure]
