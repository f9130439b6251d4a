# --8<-- [start:write]
import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 4)).astype("float32")
bn = tf.keras.layers.BatchNormalization(virtual_batch_size=8, name="bn")
head = tf.keras.layers.Dense(1, name="head")
model = tf.keras.Sequential([tf.keras.layers.InputLayer((4,)), bn, head])
model.compile("sgd", "mean_squared_error")
model.fit(x, x[:, :1], epochs=5, batch_size=16, verbose=0)

model.save("model.h5")
arrays = {array.name: array.numpy() for array in model.weights}
np.savez("keras2.npz", x=x, predictions=model(x, training=False), **arrays)
try:
    tf.keras.models.load_model("model.h5")
except ValueError as error:
    print("Keras 2: ValueError:", str(error)[:50])
# --8<-- [end:write]

# --8<-- [start:see]
import keras

try:
    keras.saving.load_model("model.h5", compile=False)
except TypeError as error:
    print("TypeError:", str(error).partition("encountered: ")[2])
# --8<-- [end:see]


# --8<-- [start:code]
def build_model():
    bn = keras.layers.BatchNormalization(name="bn")
    head = keras.layers.Dense(1, name="head")
    return keras.Sequential([keras.Input((4,)), bn, head])


try:
    build_model().load_weights("model.h5")
except ValueError as error:
    first, second, third = str(error).split(". ")
    print("ValueError:", first)
    print("  ", second)
    print("  ", third)
# --8<-- [end:code]

# --8<-- [start:fix]
import h5py

model = build_model()
with h5py.File("model.h5") as file:
    for layer in model.layers:
        group = file["model_weights"][layer.name]
        arrays = [group[name][()] for name in group.attrs["weight_names"]]
        shapes = [array.shape for array in layer.weights]
        layer.set_weights([a.reshape(s) for a, s in zip(arrays, shapes)])
# --8<-- [end:fix]

# --8<-- [start:sure]
import numpy as np

keras2 = np.load("keras2.npz")
for array in model.get_layer("bn").weights:
    was = keras2[f"bn/{array.name}:0"]
    np.testing.assert_array_equal(array, was.ravel())
    print(f"{array.name:16} {was.shape} is now {array.shape}: equal")
out = model(keras2["x"], training=False)
np.testing.assert_allclose(out, keras2["predictions"], atol=1e-4)
print("predictions equal, for one row too:", len(model(keras2["x"][:1])) == 1)
# --8<-- [end:sure]
