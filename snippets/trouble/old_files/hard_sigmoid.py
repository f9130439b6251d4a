# --8<-- [start:build]
from tensorflow import keras


def build_model(hard_sigmoid="hard_sigmoid"):
    return keras.Sequential(
        [
            keras.Input(shape=(6, 4)),
            keras.layers.BatchNormalization(name="bn"),
            keras.layers.LSTM(3, recurrent_activation=hard_sigmoid),
            keras.layers.Dense(2, activation=hard_sigmoid),
        ]
    )


# --8<-- [end:build]

# --8<-- [start:write]
import numpy as np

keras.utils.set_random_seed(0)
model = build_model()
for variable in model.weights:
    variable.assign(np.random.uniform(0.5, 2, size=variable.shape))
model.save("keras_2.keras")
x = np.random.normal(1, 1, size=(64, 6, 4)).astype("float32")
predictions = model(x, training=False)
np.savez("keras_2.npz", *model.get_weights(), x=x, predictions=predictions)
# --8<-- [end:write]

# --8<-- [start:see]
import numpy as np

expected = np.load("keras_2.npz")


def compare(model):
    for i, array in enumerate(model.get_weights()):
        np.testing.assert_array_equal(array, expected[f"arr_{i}"])
    predictions = model(expected["x"], training=False)
    error = np.max(np.abs(predictions - expected["predictions"]))
    print(i + 1, "arrays equal, predictions off by", np.round(error, 2))


model = build_model()
model.load_weights("keras_2.keras")
compare(model)
# --8<-- [end:see]

# --8<-- [start:why]
x = np.linspace(-4, 4, 9, dtype="float32")
here = keras.activations.hard_sigmoid(x)
for slope in [5, 6]:
    same = np.allclose(here, np.clip(x / slope + 0.5, 0, 1))
    print(f"x / {slope} + 0.5, between 0 and 1: {same}")
# --8<-- [end:why]

# --8<-- [start:fix]
import keras


@keras.saving.register_keras_serializable("keras_2")
def hard_sigmoid_2(x):
    """Return what `hard_sigmoid` is in Keras 2."""
    return keras.ops.clip(x / 5 + 0.5, 0, 1)


model = build_model(hard_sigmoid_2)
model.load_weights("keras_2.keras")
# --8<-- [end:fix]

# --8<-- [start:sure]
compare(model)
model.save("keras_3.keras")
compare(keras.saving.load_model("keras_3.keras"))
# --8<-- [end:sure]
