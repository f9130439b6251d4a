# --8<-- [start:write]
import numpy as np
import tensorflow as tf

layers = tf.keras.layers
tf.keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(16, 6, 4)).astype("float32")


def save(name, call):
    inputs = layers.Input((6, 4))
    h = layers.BatchNormalization(name="bn")(call(inputs))
    model = tf.keras.Model(inputs, h)
    for array in model.weights:
        array.assign(np.random.uniform(0.1, 0.5, size=array.shape))
    model.save(f"{name}.h5")
    arrays = {f"array_{i}": a.numpy() for i, a in enumerate(model.weights)}
    out = model(x, training=False)
    np.savez(f"{name}.npz", x=x, predictions=out, **arrays)


attention = layers.MultiHeadAttention(2, 2)
save("dense", layers.Dense(4))
save("lstm", layers.LSTM(4))
save("attention", lambda h: attention(h, h))
save("separable", layers.SeparableConv1D(4, 3))
save("name", layers.Dense(4, name="block/dense"))
# --8<-- [end:write]

# --8<-- [start:see]
import keras

for name in ["dense", "lstm", "attention", "separable", "name"]:
    try:
        keras.saving.load_model(f"{name}.h5", compile=False)
        print(f"{name}: loaded")
    except (TypeError, ValueError) as error:
        message = str(error)
        message = message.partition("encountered: ")[2] or message
        print(f"{name}: {type(error).__name__}:")
        print("  ", message[:70])
# --8<-- [end:see]


# --8<-- [start:fix]
def load(name, call):
    inputs = keras.Input((6, 4))
    h = keras.layers.BatchNormalization(name="bn")(call(inputs))
    model = keras.Model(inputs, h)
    model.load_weights(f"{name}.h5")
    return model


attention = keras.layers.MultiHeadAttention(2, 2)
models = {
    "lstm": load("lstm", keras.layers.LSTM(4)),
    "attention": load("attention", lambda h: attention(h, h)),
    "separable": load("separable", keras.layers.SeparableConv1D(4, 3)),
    "name": load("name", keras.layers.Dense(4, name="block_dense")),
}
# --8<-- [end:fix]

# --8<-- [start:sure]
import numpy as np

for name, model in models.items():
    keras2 = np.load(f"{name}.npz")
    for i, array in enumerate(model.weights):
        np.testing.assert_array_equal(array, keras2[f"array_{i}"])
    out = model(keras2["x"], training=False)
    np.testing.assert_allclose(out, keras2["predictions"], atol=1e-4)
    print(f"{name}: {len(model.weights)} arrays equal, and the predictions")
# --8<-- [end:sure]
