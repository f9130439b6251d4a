# --8<-- [start:setup]
import contextlib
import io

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

random = np.random.default_rng(0)
x = random.normal(5, 3, (64, 6)).astype("float32")

model = keras.Sequential(
    [
        keras.Input((6,)),
        keras.layers.Dense(8),
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.Dense(1),
    ]
)
model.compile("adam", "mse")
model.fit(x, x[:, :1], epochs=5, verbose=0)
# --8<-- [end:setup]


# --8<-- [start:see]
@tf.function(input_signature=[tf.TensorSpec([None, 6], tf.float32)])
def serve(x):
    return model(x, training=False)


def convert(owner):
    traced = serve.get_concrete_function()
    convert = tf.lite.TFLiteConverter.from_concrete_functions
    with open("model.tflite", "wb") as file:
        file.write(convert([traced], owner).convert())


def report(what):
    run = Interpreter("model.tflite").get_signature_runner()
    [name] = run.get_input_details()
    [outputs] = run(**{name: x}).values()
    right = np.allclose(outputs, model(x, training=False), atol=1e-4)
    with contextlib.redirect_stdout(io.StringIO()) as text:
        tf.lite.experimental.Analyzer.analyze(model_path="model.tflite")
    reads = text.getvalue().count(" READ_VARIABLE(")
    print(f"{what:8} right: {right!s:6} variables read: {reads}")


convert(model)
report("traced")
model.export("model.tflite", format="litert", verbose=False)
report("exported")
# --8<-- [end:see]

# --8<-- [start:variance]
bn = model.layers[1]
trained = bn.moving_variance.numpy()
for value in [trained[0], np.nan, -0.5]:
    bn.moving_variance.assign([value, *trained[1:]])
    model.export("model.tflite", format="litert", verbose=False)
    run = Interpreter("model.tflite").get_signature_runner()
    [name] = run.get_input_details()
    [outputs] = run(**{name: x}).values()
    label = "as trained" if value == trained[0] else value
    print(f"{label}: converted, all outputs NaN: {np.isnan(outputs).all()}")
bn.moving_variance.assign(trained)
# --8<-- [end:variance]

# --8<-- [start:fix]
owner = tf.Module()
owner.serve = serve
owner.kept = [variable.value for variable in model.variables]
convert(owner)
# --8<-- [end:fix]

# --8<-- [start:sure]
report("owned")
# --8<-- [end:sure]
