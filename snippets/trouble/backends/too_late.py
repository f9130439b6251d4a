# --8<-- [start:see]
import os

import keras

os.environ["KERAS_BACKEND"] = "jax"
print("set too late:", keras.config.backend())

import keras

print("imported again:", keras.config.backend())
# --8<-- [end:see]

# --8<-- [start:switch]
model = keras.Sequential([keras.Input((4,)), keras.layers.BatchNormalization()])
model.save("model.keras")

keras.config.set_backend("jax")
try:
    keras.saving.load_model("model.keras")
except ValueError as error:
    print("not imported again:", type(error).__name__)

import keras

loaded = keras.saving.load_model("model.keras")
print("imported again:    ", keras.config.backend())
print("the older model is a keras.Model:", isinstance(model, keras.Model))
# --8<-- [end:switch]

# --8<-- [start:set_first]
import os

os.environ["KERAS_BACKEND"] = "jax"

import keras

print("set first:", keras.config.backend())
# --8<-- [end:set_first]

# --8<-- [start:sure]
import subprocess
import sys

program = """
import keras

if keras.config.backend() != "jax":
    raise SystemExit(f"the backend is {keras.config.backend()}, not jax")
print("the backend is jax")
"""
for backend in ["jax", "tensorflow"]:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    *_, said = (done.stdout or done.stderr).splitlines()
    print(f"KERAS_BACKEND={backend}: {said}")
# --8<-- [end:sure]
