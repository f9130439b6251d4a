# --8<-- [start:write]
import numpy as np
import tensorflow as tf

layers = tf.keras.layers
tf.keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 4)).astype("float32")
predictions = {}


def save(name, model, x):
    for array in model.weights:
        array.assign(np.random.uniform(0.5, 1.5, size=array.shape))
    model.save(f"{name}.h5")
    arrays = {array.name: array.numpy() for array in model.weights}
    np.savez(f"{name}.npz", x=x, out=model(x, training=False), **arrays)


def make_base():
    inputs = layers.Input((4,))
    return tf.keras.Model(inputs, layers.BatchNormalization(name="bn")(inputs))


save("flat", make_base(), x)
inside = [layers.InputLayer((4,)), make_base(), layers.Dense(1, name="head")]
save("sequential", tf.keras.Sequential(inside), x)
inputs = layers.Input((4,))
head = layers.Dense(1, name="head")(make_base()(inputs))
save("functional", tf.keras.Model(inputs, head), x)
wrapped = layers.TimeDistributed(layers.BatchNormalization(name="bn"))
inside = [layers.InputLayer((2, 4)), wrapped]
save("wrapped", tf.keras.Sequential(inside), x.reshape(32, 2, 4))
# --8<-- [end:write]

# --8<-- [start:see]
import keras

for name in ["flat", "sequential", "functional", "wrapped"]:
    try:
        keras.saving.load_model(f"{name}.h5", compile=False)
        print(f"{name}: loaded")
    except (TypeError, ValueError) as error:
        message = str(error).partition("Exception encountered: ")
        print(f"{name}: {type(error).__name__}:")
        print("  ", (message[2] or message[0])[:74].strip())
# --8<-- [end:see]

# --8<-- [start:why]
import json

import h5py

with h5py.File("functional.h5") as file:
    model, head = json.loads(file.attrs["model_config"])["config"]["layers"][1:]
bn = model["config"]["layers"][1]
print(bn["class_name"], bn["config"]["axis"])
print(head["class_name"], "reads", head["inbound_nodes"][0][0][:3])
# --8<-- [end:why]


# --8<-- [start:fix]
def make_base():
    inputs = keras.Input((4,))
    outputs = keras.layers.BatchNormalization(name="bn")(inputs)
    return keras.Model(inputs, outputs)


inputs = keras.Input((4,))
head = keras.layers.Dense(1, name="head")
functional = keras.Model(inputs, head(make_base()(inputs)))
functional.load_weights("functional.h5")

head = keras.layers.Dense(1, name="head")
sequential = keras.Sequential([keras.Input((4,)), make_base(), head])
sequential.load_weights("sequential.h5")

bn = keras.layers.BatchNormalization(name="bn")
wrapped = [keras.Input((2, 4)), keras.layers.TimeDistributed(bn)]
wrapped = keras.Sequential(wrapped)
wrapped.load_weights("wrapped.h5")
# --8<-- [end:fix]

# --8<-- [start:sure]
import numpy as np

for name, model in {
    "sequential": sequential,
    "functional": functional,
    "wrapped": wrapped,
}.items():
    keras2 = np.load(f"{name}.npz")
    arrays = {key.split("/")[-1]: keras2[key] for key in keras2 if "/" in key}
    for array in model.weights:
        np.testing.assert_array_equal(array, arrays[f"{array.name}:0"])
    out = model(keras2["x"], training=False)
    np.testing.assert_allclose(out, keras2["out"], atol=1e-4)
    print(f"{name}: {len(model.weights)} arrays equal, and the predictions")
# --8<-- [end:sure]
