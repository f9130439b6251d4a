# --8<-- [start:model]
import keras
import numpy as np
import onnx
import onnxruntime as ort

rng = np.random.default_rng(0)
x = rng.normal(5, 3, (64, 8)).astype("float32")


def build(training):
    inputs = keras.Input(shape=(8,), name="rows")
    hidden = keras.layers.Dense(16)(inputs)
    hidden = keras.layers.BatchNormalization()(hidden, training=training)
    model = keras.Model(inputs, keras.layers.Dense(1)(hidden))
    arrays = np.random.default_rng(1)
    model.set_weights([arrays.uniform(0.5, 2, w.shape) for w in model.weights])
    return model


# --8<-- [end:model]


# --8<-- [start:see]
def depends_on_the_batch(file, x):
    session = ort.InferenceSession(file)
    name = session.get_inputs()[0].name
    together, *_ = session.run(None, {name: x})
    alone, *_ = session.run(None, {name: x[:1]})
    return not np.allclose(alone, together[:1], rtol=1e-3, atol=1e-3)


rows = keras.InputSpec(shape=(None, 8), dtype="float32", name="rows")
for training in [True, None]:
    model = build(training)
    model.export(
        "net.onnx", format="onnx", input_signature=[rows], verbose=False
    )
    found = depends_on_the_batch("net.onnx", x)
    kinds = [node.op_type for node in onnx.load("net.onnx").graph.node]
    print(f"training={training}: depends on the batch: {found}")
    print("   ", *sorted(set(kinds)))
# --8<-- [end:see]

# --8<-- [start:old]
import logging

import tf2onnx
import tf_keras


class Keep(logging.Handler):
    def emit(self, record):
        if "is_training" in record.getMessage():
            print(f"WARNING:{record.name}: {record.getMessage()}")


logging.getLogger("tf2onnx").addHandler(Keep())
inputs = tf_keras.Input(shape=(4, 4, 3))
hidden = tf_keras.layers.ReLU()(inputs)
norm = tf_keras.layers.BatchNormalization(name="bn")
old = tf_keras.Model(inputs, norm(hidden, training=True), name="old")
norm.set_weights([rng.uniform(0.5, 2, 3) for _ in range(4)])

image = rng.normal(1, 2, (16, 4, 4, 3)).astype("float32")
expected = norm(np.maximum(image, 0), training=False)
tf2onnx.convert.from_keras(old, output_path="old.onnx")
session = ort.InferenceSession("old.onnx")
(outputs,) = session.run(None, {session.get_inputs()[0].name: image})
print("in inference mode:", np.allclose(outputs, expected, atol=1e-4))
# --8<-- [end:old]

# --8<-- [start:fix]
import tensorflow as tf

model = build(training=True)
tf2onnx.convert.from_function(
    tf.function(lambda rows: model(rows, training=False)),
    input_signature=[tf.TensorSpec((None, 8), tf.float32, name="rows")],
    output_path="fixed.onnx",
)
# --8<-- [end:fix]

# --8<-- [start:sure]
print("depends on the batch:", depends_on_the_batch("fixed.onnx", x))
(outputs,) = ort.InferenceSession("fixed.onnx").run(None, {"rows": x})
expected = build(None)(x, training=False)
print("as in inference mode:", np.allclose(outputs, expected, rtol=1e-4))
# --8<-- [end:sure]
