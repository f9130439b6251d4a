# --8<-- [start:model]
import keras
import numpy as np

random = np.random.default_rng(0)
x = random.normal(3, 2, (64, 8, 8, 3)).astype("float32")
y = np.argmax(x.mean(axis=(1, 2)), axis=1)

model = keras.Sequential(
    [
        keras.Input((8, 8, 3), name="image"),
        keras.layers.Conv2D(8, 3, use_bias=False),
        keras.layers.BatchNormalization(momentum=0.9, name="after_conv"),
        keras.layers.ReLU(),
        keras.layers.BatchNormalization(momentum=0.9, name="after_relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(8, use_bias=False),
        keras.layers.BatchNormalization(momentum=0.9, name="after_dense"),
        keras.layers.Dense(3, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y, batch_size=16, epochs=10, verbose=0)
# --8<-- [end:model]

# --8<-- [start:convert]
model.export("model.tflite", format="litert", verbose=False)
# --8<-- [end:convert]

# --8<-- [start:run]
from ai_edge_litert.interpreter import Interpreter

interpreter = Interpreter("model.tflite")
run = interpreter.get_signature_runner()
one = run(image=x[:1])["output_0"]
batch = run(image=x)["output_0"]

expected = model(x, training=False).numpy()
np.testing.assert_allclose(one, expected[:1], atol=1e-5)
np.testing.assert_allclose(batch, expected, atol=1e-5)
print("inputs: ", list(run.get_input_details()))
print("outputs:", list(run.get_output_details()))
print(len(one), "and", len(batch), "predictions within 1e-5")
# --8<-- [end:run]

# --8<-- [start:teeth]
trained = model(x, training=True).numpy()
print("training mode:", np.allclose(batch, trained, atol=1e-5))
mean = model.get_layer("after_conv").moving_mean
kept = mean.numpy()
mean.assign(kept * 0.9)
moved = model(x, training=False).numpy()
print("another moving mean:", np.allclose(batch, moved, atol=1e-5))
mean.assign(kept)
# --8<-- [end:teeth]

# --8<-- [start:look]
import contextlib
import io
import re

import tensorflow as tf


def operations(path):
    with contextlib.redirect_stdout(io.StringIO()) as text:
        tf.lite.experimental.Analyzer.analyze(model_path=path)
    return re.findall(r"Op#\d+ (\w+)", text.getvalue())


print(*operations("model.tflite"))
# --8<-- [end:look]

# --8<-- [start:ways]
model.export("folder", verbose=False)
converters = {
    "from_keras": tf.lite.TFLiteConverter.from_keras_model(model),
    "from_folder": tf.lite.TFLiteConverter.from_saved_model("folder"),
}
for name, converter in converters.items():
    with contextlib.redirect_stdout(io.StringIO()):  # it lists the variables
        content = converter.convert()
    with open(f"{name}.tflite", "wb") as file:
        file.write(content)

expected = model(x, training=False).numpy()
for path in ["from_keras.tflite", "from_folder.tflite"]:
    outputs = Interpreter(path).get_signature_runner()(image=x)["output_0"]
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    print(path, operations(path) == operations("model.tflite"))
# --8<-- [end:ways]

# --8<-- [start:real]
net = keras.applications.MobileNetV2(weights=None, input_shape=(96, 96, 3))
photos = random.uniform(-1, 1, (8, 96, 96, 3)).astype("float32")
photos *= np.linspace(0.1, 1, 8).reshape(-1, 1, 1, 1).astype("float32")
for layer in net.layers:
    if isinstance(layer, keras.layers.BatchNormalization):
        layer.gamma.assign(random.uniform(0.5, 2, layer.gamma.shape))
        layer.beta.assign(random.normal(0, 1, layer.beta.shape))
        layer.momentum = 0.1
net(photos, training=True)  # statistics as those of a trained net

net.export("net.tflite", format="litert", verbose=False)
run = Interpreter("net.tflite").get_signature_runner()
[name] = run.get_input_details()
expected = net(photos, training=False).numpy()
for rows in [1, len(photos)]:
    outputs = run(**{name: photos[:rows]})["output_0"]
    np.testing.assert_allclose(outputs, expected[:rows], rtol=1e-3)
print("predictions equal within a thousandth")
for kind in ["MUL", "CONV_2D", "DEPTHWISE_CONV_2D"]:
    print(f"{kind:18}", operations("net.tflite").count(kind))
# --8<-- [end:real]

# --8<-- [start:versions]
from importlib.metadata import version

for library in ["tensorflow", "keras", "ai-edge-litert", "numpy"]:
    print(library, version(library))
# --8<-- [end:versions]
