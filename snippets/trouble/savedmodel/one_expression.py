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
try:
    tf.saved_model.load("exported").serve(x)
except AssertionError as error:
    print("AssertionError:", str(error).partition(". ")[0])
# --8<-- [end:see]

# --8<-- [start:fix]
served = tf.saved_model.load("exported")
outputs = served.serve(x)
# --8<-- [end:fix]


# --8<-- [start:sure]
class Server:
    def __init__(self, folder):
        self.loaded = tf.saved_model.load(folder)

    def __call__(self, rows):
        return self.loaded.serve(rows)


expected = model(x, training=False)
for each in [outputs, Server("exported")(x)]:
    np.testing.assert_allclose(each, expected, rtol=1e-5, atol=1e-5)
print("predictions equal within 1e-5")
# --8<-- [end:sure]
