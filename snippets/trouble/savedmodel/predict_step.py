# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

x = np.random.normal(5, 3, size=(256, 8)).astype("float32")


class Odds(keras.Model):
    def __init__(self):
        super().__init__()
        self.bn = keras.layers.BatchNormalization()

    def call(self, x, training=False):
        return self.bn(x, training=training)

    def predict_step(self, data):
        rows, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return keras.ops.sigmoid(self(rows, training=False))


model = Odds()
for _ in range(100):
    model(x, training=True)


def equal(folder, expected):
    served = tf.saved_model.load(folder)
    return np.allclose(served.serve(x), expected, rtol=1e-5, atol=1e-5)


# --8<-- [end:setup]

# --8<-- [start:see]
model.export("exported", verbose=False)
print("equal to predict:   ", equal("exported", model.predict(x, verbose=0)))
print("equal to model(x):  ", equal("exported", model(x, training=False)))
# --8<-- [end:see]

# --8<-- [start:fix]
archive = keras.export.ExportArchive()
archive.track(model)
archive.add_endpoint(
    "serve",
    lambda x: model.predict_step((x,)),
    input_signature=[tf.TensorSpec((None, 8), "float32")],
)
archive.write_out("own", verbose=False)
# --8<-- [end:fix]

# --8<-- [start:sure]
expected = model.predict(x, verbose=0)
for folder in ["exported", "own"]:
    print(f"{folder:8} equal to predict:", equal(folder, expected))
# --8<-- [end:sure]
