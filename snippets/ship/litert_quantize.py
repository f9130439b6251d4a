# --8<-- [start:model]
import keras
import numpy as np

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


def block(filters, size, strides=1):
    return [
        keras.layers.Conv2D(filters, size, strides, use_bias=False),
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.ReLU(),
    ]


x, y = stripes(2048)
new_x, new_y = stripes(512)
keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((16, 16, 1), name="image"),
        *block(16, 3, strides=2),
        *block(64, 3),
        *block(64, 3),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(6),
    ]
)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile("adam", loss, metrics=["accuracy"])
model.fit(x, y, batch_size=64, epochs=4, verbose=0)
# --8<-- [end:model]

# --8<-- [start:convert]
import os

import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter


def representative():
    for image in x[:200]:
        yield [image[None]]


default = {"optimizations": [tf.lite.Optimize.DEFAULT]}
int8 = {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]}
ways = {
    "float32": {},
    "dynamic": default,
    "float16": {**default, "target_spec": {"supported_types": [tf.float16]}},
    "int8": {
        **default,
        "representative_dataset": representative,
        "target_spec": int8,
    },
}
for name, settings in ways.items():
    path = f"{name}.tflite"
    model.export(path, format="litert", verbose=False, **settings)
# --8<-- [end:convert]

# --8<-- [start:compare]
expected = model(new_x, training=False).numpy()


def compare(path):
    outputs = Interpreter(path).get_signature_runner()(image=new_x)["output_0"]
    same = np.mean(outputs.argmax(1) == expected.argmax(1))
    right = np.mean(outputs.argmax(1) == new_y)
    error = np.abs(outputs - expected).max() / np.abs(expected).max()
    return same, right, error


whole = os.path.getsize("float32.tflite")
for name in ways:
    same, right, error = compare(f"{name}.tflite")
    bound = next(b for b in [0.0001, 0.002, 0.02, 1] if error < b)
    size = os.path.getsize(f"{name}.tflite") / whole
    print(f"{name:8} size {size:4.0%}  error below {bound:<6}", end="")
    print(f"  class: {same >= 0.99} right: {right >= 0.95}")
# --8<-- [end:compare]


# --8<-- [start:look]
def constants(path):
    """Return types, and numbers of scales, of kernels and biases."""
    found = []
    for tensor in Interpreter(path).get_tensor_details():
        sizes = [tuple(tensor["shape"])]
        if sizes[0] in [(64, 3, 3, 64), (64, 3, 3, 16), (64,)]:
            scales = len(tensor["quantization_parameters"]["scales"])
            found.append(f"{tensor['dtype'].__name__}/{scales}")
    return " ".join(sorted(set(found)))


for name in ways:
    print(f"{name:8}", constants(f"{name}.tflite"))
# --8<-- [end:look]

# --8<-- [start:bytes]
integers = {"inference_input_type": tf.int8, "inference_output_type": tf.int8}
settings = {**ways["int8"], **integers}
model.export("bytes.tflite", format="litert", verbose=False, **settings)

run = Interpreter("bytes.tflite").get_signature_runner()
scale, zero = run.get_input_details()["image"]["quantization"]
integers = np.clip(np.round(new_x / scale + zero), -128, 127).astype("int8")
outputs = run(image=integers)["output_0"]
same = np.mean(outputs.argmax(1) == expected.argmax(1))
print(outputs.dtype, "same class, 99 %:", bool(same >= 0.99))
# --8<-- [end:bytes]


# --8<-- [start:layers]
def tensors(path):
    net = Interpreter(path, experimental_preserve_all_tensors=True)
    net.resize_tensor_input(net.get_input_details()[0]["index"], new_x.shape)
    net.allocate_tensors()
    net.set_tensor(net.get_input_details()[0]["index"], new_x)
    net.invoke()
    found = {}
    for tensor in net.get_tensor_details():
        scale, zero = tensor["quantization"]
        if len(tensor["shape"]) > 1 and tensor["shape"][0] == len(new_x):
            array = net.get_tensor(tensor["index"]).astype("float32")
            found[tensor["name"]] = (array - zero) * scale if scale else array
    return found


exact, rounded = tensors("float32.tflite"), tensors("int8.tflite")
for name in exact:
    if name in rounded and "image" not in name:
        size = np.abs(exact[name]).max()
        error = np.abs(exact[name] - rounded[name]).max() / size
        layer = name.partition(";")[0].partition("/")[2] or "output"
        print(f"{layer:36} below 3 %: {error < 0.03}")
# --8<-- [end:layers]

# --8<-- [start:versions]
from importlib.metadata import version

for library in ["tensorflow", "keras", "ai-edge-litert"]:
    print(library, version(library))
# --8<-- [end:versions]
