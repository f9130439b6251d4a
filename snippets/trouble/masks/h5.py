# --8<-- [start:see]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 10, 2)).astype("float32")
x[:, 5:] = 0  # padded at the end


def make_model(masked=True):
    inputs = keras.Input(shape=(10, 2))
    h = keras.layers.Masking()(inputs) if masked else inputs
    layer = keras.layers.BatchNormalization(momentum=0.0, name="bn")
    return keras.Model(inputs, layer(h))


for masked in [False, True]:
    model = make_model(masked)
    model(x, training=True)
    model.save("model.h5")
    try:
        keras.saving.load_model("model.h5")
        print(f"Masking: {masked}, loaded")
    except ValueError as error:
        print(f"Masking: {masked}, ValueError:", str(error).split(". ")[0])
# --8<-- [end:see]

# --8<-- [start:fix]
from_h5 = make_model()
from_h5.load_weights("model.h5")
from_h5.save("model.keras")
loaded = keras.saving.load_model("model.keras")
# --8<-- [end:fix]

# --8<-- [start:sure]
nets = {"new": make_model(), "from .h5": from_h5, "from .keras": loaded}
for name, net in nets.items():
    equal = all(map(np.array_equal, model.get_weights(), net.get_weights()))
    print(f"{name}: arrays equal: {equal}")

loaded(x + 7 * (x != 0), training=True)
mean = loaded.get_layer("bn").moving_mean
close = np.allclose(mean, x[:, :5].mean(axis=(0, 1)) + 7, atol=0.01)
print("padding left out:", close)
# --8<-- [end:sure]
