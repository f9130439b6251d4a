# --8<-- [start:write]
import numpy as np
import tensorflow as tf

layers = tf.keras.layers
tf.keras.utils.set_random_seed(0)

base = tf.keras.Sequential(
    [
        layers.InputLayer((4,)),
        layers.BatchNormalization(name="bn1"),
        layers.BatchNormalization(name="bn2"),
    ],
    name="base",
)
model = tf.keras.Sequential([layers.InputLayer((4,)), base])
base.trainable = False
base.get_layer("bn2").trainable = True  # fine-tuned

for array in model.weights:
    array.assign(np.random.uniform(0.5, 1.5, size=array.shape))
model.save_weights("weights.h5")
x = np.random.normal(1, 1, size=(64, 4)).astype("float32")
arrays = {array.name: array.numpy() for array in model.weights}
np.savez("keras2.npz", x=x, predictions=model(x, training=False), **arrays)
# --8<-- [end:write]

# --8<-- [start:setup]
import keras
import numpy as np


def build_model():
    base = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.BatchNormalization(name="bn1"),
            keras.layers.BatchNormalization(name="bn2"),
        ],
        name="base",
    )
    return keras.Sequential([keras.Input((4,)), base])


def report(model):
    keras2 = np.load("keras2.npz")
    for bn in model.get_layer("base").layers:
        names = ["gamma", "beta", "moving_mean", "moving_variance"]
        equal = [
            np.array_equal(getattr(bn, name), keras2[f"{bn.name}/{name}:0"])
            for name in names
        ]
        print(bn.name, *(f"{n}: {e}" for n, e in zip(names, equal)))
    predictions = model(keras2["x"], training=False)
    close = np.allclose(predictions, keras2["predictions"], atol=1e-5)
    print("predictions equal:", close)


# --8<-- [end:setup]

# --8<-- [start:see]
model = build_model()
base = model.get_layer("base")
base.trainable = False
base.get_layer("bn2").trainable = True
model.load_weights("weights.h5")
report(model)
# --8<-- [end:see]

# --8<-- [start:why]
import h5py

with h5py.File("weights.h5") as file:
    for name in file["base"].attrs["weight_names"]:
        print(name if isinstance(name, str) else name.decode())
# --8<-- [end:why]

# --8<-- [start:fix]
model = build_model()
base = model.get_layer("base")
for layer in base.layers:
    layer.trainable = layer.name == "bn2"
model.load_weights("weights.h5")
report(model)
# --8<-- [end:fix]

# --8<-- [start:sure]
model.save("model.keras")
report(keras.saving.load_model("model.keras"))
print("trainable:", [array.path for array in model.trainable_weights])
# --8<-- [end:sure]
