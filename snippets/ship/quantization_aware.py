# --8<-- [start:model]
import numpy as np
import tf_keras

random = np.random.default_rng(0)


def stripes(count):
    """Return noisy images of stripes, and which of 6 directions they have."""
    kinds = random.integers(0, 6, count)
    angle = (kinds * np.pi / 6).reshape(-1, 1, 1)
    row, column = np.mgrid[:16, :16]
    wave = row * np.sin(angle) + column * np.cos(angle)
    wave = np.sin(0.9 * wave + random.uniform(0, 6, (count, 1, 1)))
    images = 0.5 + 0.2 * wave + random.normal(0, 0.2, (count, 16, 16))
    return np.clip(images, 0, 1).astype("float32")[..., None], kinds


x, y = stripes(2048)
new_x, new_y = stripes(512)
tf_keras.utils.set_random_seed(0)
layers = tf_keras.layers
model = tf_keras.Sequential(
    [
        layers.Input((16, 16, 1), name="image"),
        layers.Conv2D(16, 3, strides=2, use_bias=False, name="conv"),
        layers.BatchNormalization(momentum=0.9, name="conv_bn"),
        layers.ReLU(name="conv_relu"),
        layers.Conv2D(64, 3, use_bias=False, name="deep"),
        layers.BatchNormalization(momentum=0.9, name="deep_bn"),
        layers.ReLU(name="deep_relu"),
        layers.GlobalAveragePooling2D(name="pool"),
        layers.Dense(16, use_bias=False, name="dense"),
        layers.BatchNormalization(momentum=0.9, name="dense_bn"),
        layers.ReLU(name="dense_relu"),
        layers.Dense(6, name="head"),
    ]
)
loss = tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile("adam", loss, metrics=["accuracy"])
model.fit(x, y, batch_size=64, epochs=4, verbose=0)
head = model.get_layer("head")  # its outputs go up to 40, as others do
head.set_weights([10 * array for array in head.get_weights()])
# --8<-- [end:model]

# --8<-- [start:quantize]
import tensorflow_model_optimization as tfmot

aware = tfmot.quantization.keras.quantize_model(model)
for layer in aware.layers:
    inner = getattr(layer, "layer", None)
    if isinstance(inner, tf_keras.layers.BatchNormalization):
        original = model.get_layer(inner.name)
        pairs = zip(inner.get_weights(), original.get_weights(), strict=True)
        print(layer.name, "equal:", all(np.array_equal(a, b) for a, b in pairs))
if len(aware.trainable_variables) > len(model.trainable_variables):
    raise ValueError("a kernel that was frozen would be trained")
# --8<-- [end:quantize]

# --8<-- [start:ranges]
found = {}
for layer in aware.layers:
    for end in layer.variables:
        kind = end.name.rpartition("/")[2]
        if kind.startswith("pre_activation_"):
            raise ValueError(f"{layer.name}: make its activation a layer")
        if kind.startswith(("output_", "post_activation_")):
            found.setdefault(layer.layer.name, []).append(end)
seen = {name: model.get_layer(name).output for name in found}
seen = tf_keras.Model(model.inputs, seen)(x[:256], training=False)
for name, (low, high) in found.items():
    low.assign(min(np.min(seen[name]), 0))
    high.assign(max(np.max(seen[name]), 0))
# --8<-- [end:ranges]

# --8<-- [start:train]
cut = tfmot.quantization.keras.quantize_model(model)  # as a control
before = aware.get_layer("quant_conv_bn").layer.get_weights()
far = 0.9 * model.predict(new_x, verbose=0).max()
for name, net in {"set": aware, "as they were": cut}.items():
    net.compile(tf_keras.optimizers.Adam(1e-4), loss, metrics=["accuracy"])
    net.fit(x, y, batch_size=64, epochs=2, verbose=0)
    reach = net.predict(new_x, verbose=0).max() > far
    print(f"ranges {name:12} outputs as large as before: {reach}")
after = aware.get_layer("quant_conv_bn").layer.get_weights()
names = "gamma beta moving_mean moving_variance".split()
for name, a, b in zip(names, before, after):
    print(f"{name:15} moved: {not np.array_equal(a, b)}")
# --8<-- [end:train]

# --8<-- [start:convert]
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

converter = tf.lite.TFLiteConverter.from_keras_model(aware)
converter.optimizations = [tf.lite.Optimize.DEFAULT]
with open("aware.tflite", "wb") as file:
    file.write(converter.convert())

run = Interpreter("aware.tflite").get_signature_runner()
[name] = run.get_input_details()
[outputs] = run(**{name: new_x}).values()
expected = aware.predict(new_x, verbose=0)
plain = model.predict(new_x, verbose=0)
same = np.mean(outputs.argmax(1) == expected.argmax(1))
print("the class of the aware model, for 99 %:", bool(same >= 0.99))
for name, each in {"float": plain, "aware": expected, "int8": outputs}.items():
    right = np.mean(each.argmax(1) == new_y)
    print(f"{name:5} right for 95 %: {right >= 0.95}")
# --8<-- [end:convert]

# --8<-- [start:look]
shapes = {"conv": (16, 3, 3, 1), "deep": (64, 3, 3, 16), "dense": (16, 64)}
for name, shape in shapes.items():
    for tensor in Interpreter("aware.tflite").get_tensor_details():
        if tuple(tensor["shape"]) == shape:
            scales = tensor["quantization_parameters"]["scales"]
            print(f"{name:6}", tensor["dtype"].__name__, len(scales), "scales")
# --8<-- [end:look]

# --8<-- [start:keras]
import keras

keras.utils.set_random_seed(0)
net = keras.Sequential([keras.Input((8,))])
net.add(keras.layers.Dense(16, name="dense"))
net.add(keras.layers.BatchNormalization(momentum=0.9, name="bn"))
net.add(keras.layers.Dense(2, name="head"))
rows = random.normal(5, 3, (256, 8)).astype("float32")
for _ in range(50):
    net(rows, training=True)
expected = net(rows, training=False).numpy()
bn = net.get_layer("bn").get_weights()
net.quantize("int8")
outputs = net(rows, training=False).numpy()
pairs = zip(bn, net.get_layer("bn").get_weights(), strict=True)
print("the four arrays equal:", all(np.array_equal(a, b) for a, b in pairs))
print("kernel of dense:", net.get_layer("dense").kernel.dtype)
error = np.abs(outputs - expected).max() / np.abs(expected).max()
print(f"predictions within 5 %: {error < 0.05}  equal: {error == 0}")
# --8<-- [end:keras]

# --8<-- [start:versions]
from importlib.metadata import version

optimization = "tensorflow-model-optimization"
for each in ["tensorflow", optimization, "tf-keras", "keras", "ai-edge-litert"]:
    print(each, version(each))
# --8<-- [end:versions]
