# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

random = np.random.default_rng(0)
x = random.normal(5, 3, (256, 8)).astype("float32")


def trained():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8,), name="row"),
            keras.layers.Dense(64),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.ReLU(),
            keras.layers.Dense(32),
        ]
    )
    model.compile("adam", "mse")
    model.fit(x, np.tile(x, 4), epochs=20, verbose=0)
    return model


# --8<-- [end:setup]

# --8<-- [start:see]
quantized = trained()
quantized.quantize("int8")
for what, model in {"float": trained(), "quantized": quantized}.items():
    try:
        model.export("model.tflite", format="litert", verbose=False)
        print(f"{what}: converted")
    except Exception as error:
        text = str(error)
        start = text.index("'tfl.fully_connected'")
        print(f"{what}: {type(error).__name__}: {text[start : start + 51]}")
# --8<-- [end:see]

# --8<-- [start:fix]
model = trained()
model.export(
    "model.tflite",
    format="litert",
    verbose=False,
    optimizations=[tf.lite.Optimize.DEFAULT],
    representative_dataset=lambda: ([row[None]] for row in x),
)
# --8<-- [end:fix]

# --8<-- [start:sure]
net = Interpreter("model.tflite")
outputs = net.get_signature_runner()(row=x)["output_0"]
expected = model(x, training=False).numpy()
error = np.abs(outputs - expected).max() / np.abs(expected).max()
print("within 5 % of the largest output:", bool(error < 0.05))
kernels = [t for t in net.get_tensor_details() if tuple(t["shape"]) == (64, 8)]
print("kernel in", *[kernel["dtype"].__name__ for kernel in kernels])
# --8<-- [end:sure]
