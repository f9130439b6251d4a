# --8<-- [start:write_jax]
import os

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np

x = np.random.default_rng(0).normal(5, 3, (64, 4)).astype("float32")
norm = keras.layers.BatchNormalization(momentum=0.5)
model = keras.Sequential([keras.Input(shape=(4,)), norm])
norm(x, training=True)
model.compile("sgd", "mean_squared_error")
model.save("by-jax.keras")
np.savez("expected.npz", x=x, outputs=model.predict(x, verbose=0))
print("jax        jit_compile:", model.jit_compile)
# --8<-- [end:write_jax]

# --8<-- [start:read_tensorflow]
import keras

loaded = keras.saving.load_model("by-jax.keras")
print("from JAX:            ", loaded.jit_compile)
loaded.compile("sgd", "mean_squared_error")
print("compiled here:       ", loaded.jit_compile)
loaded.save("by-tensorflow.keras")
# --8<-- [end:read_tensorflow]

# --8<-- [start:see]
import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np

loaded = keras.saving.load_model("by-jax.keras")
print("from JAX:       ", loaded.jit_compile)
tensorflow = keras.saving.load_model("by-tensorflow.keras")
print("from TensorFlow:", tensorflow.jit_compile)
# --8<-- [end:see]

# --8<-- [start:fix]
loaded.jit_compile = keras.config.backend() == "jax"
# --8<-- [end:fix]

# --8<-- [start:sure]
expected = np.load("expected.npz")
outputs = loaded.predict(expected["x"], verbose=0)
np.testing.assert_allclose(outputs, expected["outputs"], atol=1e-5)
print("set after loading:", loaded.jit_compile)
loaded.compile("sgd", "mean_squared_error")
print("compiled here:    ", loaded.jit_compile)
# --8<-- [end:sure]
