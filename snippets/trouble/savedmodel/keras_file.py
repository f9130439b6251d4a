# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

x = np.random.normal(5, 3, size=(256, 8)).astype("float32")
model = keras.Sequential(
    [keras.Input(shape=(8,)), keras.layers.BatchNormalization()]
)
for _ in range(100):
    model(x, training=True)
model.export("exported", verbose=False)
# --8<-- [end:setup]

# --8<-- [start:see]
layer = keras.layers.TFSMLayer("exported", call_endpoint="serve")
net = keras.Sequential([keras.Input(shape=(8,)), layer])
for each, file in {model: "model.keras", net: "net.keras"}.items():
    each.save(file)
    try:
        keras.saving.load_model(file)
        print(f"{file}: loaded")
    except ValueError as error:
        print(f"{file}: ValueError:", str(error).partition(". ")[0])
# --8<-- [end:see]

# --8<-- [start:fix]
net.export("exported_again", verbose=False)
# --8<-- [end:fix]

# --8<-- [start:sure]
served = tf.saved_model.load("exported_again")
expected = net(x, training=False)
np.testing.assert_allclose(served.serve(x), expected, rtol=1e-5, atol=1e-5)
print("predictions equal within 1e-5")
# --8<-- [end:sure]
