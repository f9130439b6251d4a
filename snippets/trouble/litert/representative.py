# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

random = np.random.default_rng(0)


def stripes(count):
    """Return noisy images of stripes, and which of 6 directions they have."""
    kinds = random.integers(0, 6, count)
    angle = (kinds * np.pi / 6).reshape(-1, 1, 1)
    row, column = np.mgrid[:16, :16]
    wave = row * np.sin(angle) + column * np.cos(angle)
    wave = np.sin(0.9 * wave + random.uniform(0, 6, (count, 1, 1)))
    images = 128 + 50 * wave + random.normal(0, 50, (count, 16, 16))
    return np.clip(images, 0, 255).astype("float32")[..., None], kinds


x, y = stripes(2048)
new_x, _ = stripes(512)
keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((16, 16, 1), name="image"),
        keras.layers.Conv2D(16, 3, 2),
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.ReLU(),
        keras.layers.Conv2D(32, 3),
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.ReLU(),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(6),
    ]
)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile("adam", loss)
model.fit(x / 255, y, batch_size=64, epochs=5, verbose=0)
# --8<-- [end:setup]

# --8<-- [start:see]
expected = model(new_x / 255, training=False).numpy()


def convert(rows):
    model.export(
        "int8.tflite",
        format="litert",
        verbose=False,
        optimizations=[tf.lite.Optimize.DEFAULT],
        representative_dataset=lambda: ([row[None]] for row in rows),
        target_spec={"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]},
    )


def report(what):
    run = Interpreter("int8.tflite").get_signature_runner()
    outputs = run(image=new_x / 255)["output_0"]
    same = np.mean(outputs.argmax(1) == expected.argmax(1))
    print(f"{what:15} for 95 % the class of the float model: {same >= 0.95}")


sets = {
    "as in training": x[:200] / 255,
    "0 to 255": x[:200],
    "black": np.zeros((200, 16, 16, 1), "float32"),
}
for what, rows in sets.items():
    convert(rows)
    report(what)
# --8<-- [end:see]

# --8<-- [start:fix]
convert(x[:200] / 255)
# --8<-- [end:fix]

# --8<-- [start:sure]
tensors = Interpreter("int8.tflite").get_tensor_details()
[data] = [t for t in tensors if t["name"] == "tfl.quantize"]
scale, zero = data["quantization"]
low, high = (-128 - zero) * scale, (127 - zero) * scale
print(f"the input is quantized from {low:.2f} to {high:.2f}")
report("as in training")
# --8<-- [end:sure]
