# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

random = np.random.default_rng(0)
x = random.normal(5, 3, (64, 6)).astype("float32")


class Net(keras.Model):
    def __init__(self, mode):
        super().__init__()
        self.mode = mode
        self.dense = keras.layers.Dense(8)
        self.norm = keras.layers.BatchNormalization(momentum=0.9)
        self.head = keras.layers.Dense(1)

    def call(self, x, training=None):
        x = self.norm(self.dense(x), training=self.mode or training)
        return self.head(x)


def build(mode):
    keras.utils.set_random_seed(0)
    model = Net(mode)
    model.compile("adam", "mse")
    model.fit(x, x[:, :1], epochs=5, verbose=0)
    return model


# --8<-- [end:setup]


# --8<-- [start:see]
def report(what, path, model):
    run = Interpreter(path).get_signature_runner()
    [name] = run.get_input_details()
    [alone] = run(**{name: x[:1]}).values()
    [batch] = run(**{name: x}).values()
    expected = model.norm(model.dense(x), training=False)
    right = np.allclose(batch, model.head(expected), atol=1e-4)
    same = np.allclose(alone, batch[:1], atol=1e-4)
    print(f"{what:34} right: {right!s:6} alone as in a batch: {same}")


for mode in [None, True]:
    model = build(mode)
    model.export("model.tflite", format="litert", verbose=False)
    report(f"training={mode or 'training'} in call", "model.tflite", model)
# --8<-- [end:see]

# --8<-- [start:function]
model = build(None)
for mode in [False, True]:
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(
        "serve",
        lambda x, mode=mode: model(x, training=mode),
        input_signature=[tf.TensorSpec([None, 6], tf.float32)],
    )
    archive.write_out("folder", verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model("folder")
    with open("endpoint.tflite", "wb") as file:
        file.write(converter.convert())
    report(f"endpoint with training={mode}", "endpoint.tflite", model)
# --8<-- [end:function]

# --8<-- [start:fix]
model = build(True)
model.mode = None
model.export("fixed.tflite", format="litert", verbose=False)
# --8<-- [end:fix]

# --8<-- [start:sure]
report("fixed", "fixed.tflite", model)
# --8<-- [end:sure]
