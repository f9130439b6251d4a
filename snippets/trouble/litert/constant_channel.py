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
    gray = np.clip(images, 0, 255)
    alpha = np.full_like(gray, 255)  # as in a PNG file
    return np.stack([gray, alpha], -1).astype("float32"), kinds


x, y = stripes(2048)
new_x, _ = stripes(512)


def trained(channels):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((16, 16, channels), name="image"),
            keras.layers.BatchNormalization(momentum=0.9, name="first"),
            keras.layers.Conv2D(16, 3, 2),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.ReLU(),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(6),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    model.fit(x[..., :channels], y, batch_size=64, epochs=5, verbose=0)
    return model


# --8<-- [end:setup]


# --8<-- [start:see]
def report(what, model):
    channels = model.inputs[0].shape[-1]
    rows = x[:200, ..., :channels]
    model.export(
        "int8.tflite",
        format="litert",
        verbose=False,
        optimizations=[tf.lite.Optimize.DEFAULT],
        representative_dataset=lambda: ([row[None]] for row in rows),
        target_spec={"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]},
    )
    images = new_x[..., :channels]
    run = Interpreter("int8.tflite").get_signature_runner()
    kinds = run(image=images)["output_0"].argmax(1)
    expected = model(images, training=False).numpy().argmax(1)
    same = np.mean(kinds == expected)
    print(f"{what:22} for 90 % the class of the float model: {same >= 0.9}")


report("gray", trained(1))
model = trained(2)
report("gray and a constant", model)
# --8<-- [end:see]

# --8<-- [start:why]
first = model.get_layer("first")
factor = first.gamma / np.sqrt(first.moving_variance + first.epsilon)
step = np.abs(factor).max() / 127
print("factor of gray:    ", np.round(factor[0], 2))
print("factor of constant:", np.round(factor[1], -1))
print("int8 step:         ", np.round(step, 1))
print("gray in int8:      ", np.round(factor[0] / step))
# --8<-- [end:why]

# --8<-- [start:fix]
before = model(new_x, training=False).numpy()
constant = first.moving_variance.numpy() < 1e-3 * first.epsilon
first.gamma.assign(np.where(constant, 0, first.gamma))
# --8<-- [end:fix]

# --8<-- [start:sure]
after = model(new_x, training=False).numpy()
near = np.abs(after - before).max() < 0.02 * np.abs(before).max()
print("float model within 2 % of its largest output:", near)
report("gray and gamma 0", model)
# --8<-- [end:sure]
