# --8<-- [start:write_torch]
import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np

keras.utils.set_random_seed(0)
images = np.random.normal(5, 3, size=(64, 3, 6, 6)).astype("float32")
net = keras.Sequential(
    [
        keras.Input(shape=(3, 6, 6)),
        keras.layers.Conv2D(4, 3, data_format="channels_first"),
        keras.layers.BatchNormalization(axis=1),
        keras.layers.Flatten(data_format="channels_first"),
        keras.layers.Dense(2),
    ]
)
net(images, training=True)
net.save("images.keras")
np.savez("images.npz", x=images, outputs=net.predict(images, verbose=0))
print("default:", keras.config.image_data_format())
print("saved:  ", net.layers[0].data_format)
# --8<-- [end:write_torch]

# --8<-- [start:see]
import os
import subprocess
import sys

program = """
import keras
import numpy as np

x, messages = np.ones((4, 3, 8, 8), "float32"), []
front = {"data_format": "channels_first"}
for layer in [
    keras.layers.Conv2D(4, 3),
    keras.layers.Conv2D(4, 3, **front),
    keras.layers.Conv2DTranspose(4, 3, **front),
    keras.layers.DepthwiseConv2D(3, **front),
    keras.layers.MaxPooling2D(**front),
    keras.layers.BatchNormalization(axis=1),
]:
    found = []
    for jit_compile in [False, True]:
        net = keras.Sequential([keras.Input(x.shape[1:]), layer])
        net.compile(jit_compile=jit_compile)
        try:
            net.predict(x, verbose=0)
            found.append("works")
        except Exception as error:
            found.append(type(error).__name__)
            [said] = [s for s in str(error).splitlines() if "NHWC" in s]
            messages.append(f"{type(error).__name__}: {said}")
    axes = getattr(layer, "data_format", "axis=1")
    print(f"{layer.name:21} {axes:15} {found[0]:21} {found[1]}")
for message in messages:
    print(message)
"""


def run(program, onednn):
    settings = {"KERAS_BACKEND": "tensorflow", "TF_ENABLE_ONEDNN_OPTS": onednn}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=os.environ | settings, stdout=-1)
    print(done.stdout.decode(), end="")


for onednn in ["0", "1"]:
    print(f"TF_ENABLE_ONEDNN_OPTS={onednn}")
    heads = ["layer", "channels", "jit_compile=False", "jit_compile=True"]
    print("{:21} {:15} {:21} {}".format(*heads))
    run(program, onednn)
# --8<-- [end:see]

# --8<-- [start:fix]
import keras
import numpy as np

loaded = keras.saving.load_model("images.keras")
loaded.jit_compile = True

moved = keras.Sequential(
    [
        keras.Input(shape=(6, 6, 3)),
        keras.layers.Conv2D(4, 3),
        keras.layers.BatchNormalization(),
        keras.layers.Flatten(),
        keras.layers.Dense(2),
    ]
)
moved.set_weights(loaded.get_weights())
# --8<-- [end:fix]

# --8<-- [start:sure]
expected = np.load("images.npz")
x, outputs = expected["x"], expected["outputs"]
for name, given in {
    "channels first, jit_compile=True": loaded.predict(x, verbose=0),
    "channels last, the same arrays": moved.predict(
        np.moveaxis(x, 1, -1), verbose=0
    ),
}.items():
    print(f"{name:33} {np.allclose(given, outputs, atol=1e-4)}")
# --8<-- [end:sure]
