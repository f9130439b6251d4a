# --8<-- [start:write]
import numpy as np
import tensorflow as tf

layers = tf.keras.layers
tf.keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 4)).astype("float32")
for name, bn in {
    "plain": layers.BatchNormalization(name="bn"),
    "argument": layers.BatchNormalization(synchronized=True, name="bn"),
    "class": layers.experimental.SyncBatchNormalization(name="bn"),
}.items():
    head = layers.Dense(1, name="head")
    model = tf.keras.Sequential([layers.InputLayer((4,)), bn, head])
    model.compile("sgd", "mean_squared_error")
    model.fit(x, x[:, :1], epochs=5, batch_size=16, verbose=0)
    model.save(f"{name}.h5")
    arrays = {array.name: array.numpy() for array in model.weights}
    out = model(x, training=False)
    np.savez(f"{name}.npz", x=x, predictions=out, **arrays)
# --8<-- [end:write]

# --8<-- [start:see]
import keras

for name in ["plain", "argument", "class"]:
    try:
        model = keras.saving.load_model(f"{name}.h5", compile=False)
        print(f"{name}: loaded, synchronized:", model.layers[0].synchronized)
    except ValueError as error:
        print(f"{name}: ValueError:", str(error).partition(". ")[0])
# --8<-- [end:see]

# --8<-- [start:fix]
model = keras.saving.load_model(
    "class.h5",
    custom_objects={"SyncBatchNormalization": keras.layers.BatchNormalization},
    compile=False,
)
# --8<-- [end:fix]

# --8<-- [start:sure]
import numpy as np

keras2 = np.load("class.npz")
bn = model.get_layer("bn")
for array in bn.weights:
    np.testing.assert_array_equal(array, keras2[f"bn/{array.name}:0"])
out = model(keras2["x"], training=False)
np.testing.assert_allclose(out, keras2["predictions"], atol=1e-4)
print(len(bn.weights), "arrays equal, and the predictions")

model.save("model.keras")
bn = keras.saving.load_model("model.keras").get_layer("bn")
print(type(bn).__name__, "in model.keras, synchronized:", bn.synchronized)
# --8<-- [end:sure]

# --8<-- [start:train]
synchronized = keras.layers.BatchNormalization(synchronized=True, name="bn")
head = keras.layers.Dense(1, name="head")
trained_on = keras.Sequential([keras.Input((4,)), synchronized, head])
trained_on.load_weights("class.h5")
for old, new in zip(model.weights, trained_on.weights, strict=True):
    np.testing.assert_array_equal(old, new)
print(len(trained_on.weights), "arrays equal, synchronized for training")
# --8<-- [end:train]
