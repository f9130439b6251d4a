# --8<-- [start:write]
import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 4)).astype("float32")
bn = tf.keras.layers.BatchNormalization(renorm=True, name="bn")
head = tf.keras.layers.Dense(1, name="head")
model = tf.keras.Sequential([tf.keras.layers.InputLayer((4,)), bn, head])
model.compile("sgd", "mean_squared_error")
model.fit(x, x[:, :1], epochs=5, batch_size=8, verbose=0)

model.save("model.h5")
arrays = {array.name: array.numpy() for array in model.weights}
np.savez("keras2.npz", x=x, predictions=model(x, training=False), **arrays)
# --8<-- [end:write]

# --8<-- [start:see]
import keras
import numpy as np


def build_model(renorm):
    bn = keras.layers.BatchNormalization(renorm=renorm, name="bn")
    head = keras.layers.Dense(1, name="head")
    return keras.Sequential([keras.Input((4,)), bn, head])


for renorm in [True, False]:
    try:
        build_model(renorm).load_weights("model.h5")
        print(f"renorm={renorm}: loaded")
    except ValueError as error:
        first, second, third = str(error).split(". ")
        print(f"renorm={renorm}: ValueError: {first[:40]} ...")
        print("  ", second, third)
# --8<-- [end:see]

# --8<-- [start:why]
import h5py

with h5py.File("model.h5") as file:
    group = file["model_weights/bn"]
    names = group.attrs["weight_names"]
    names = [n if isinstance(n, str) else n.decode() for n in names]
    arrays = [group[name][()] for name in names]
names = [name.removesuffix(":0").split("/")[-1] for name in names]
print(*names[:4])
print(*names[4:])
# --8<-- [end:why]

# --8<-- [start:fix]
renorm = keras.saving.load_model("model.h5", compile=False)
# --8<-- [end:fix]

# --8<-- [start:four]
plain = build_model(renorm=False)
plain.get_layer("bn").set_weights(arrays[:4])
plain.get_layer("head").set_weights(renorm.get_layer("head").get_weights())
# --8<-- [end:four]

# --8<-- [start:sure]
keras2 = np.load("keras2.npz")
for net in [renorm, plain]:
    for array in net.get_layer("bn").weights:
        np.testing.assert_array_equal(array, keras2[f"bn/{array.name}:0"])
    out = net(keras2["x"], training=False)
    np.testing.assert_allclose(out, keras2["predictions"], atol=1e-4)
    count = len(net.get_layer("bn").weights)
    print(f"renorm={net.get_layer('bn').renorm}: {count} arrays equal")
# --8<-- [end:sure]
