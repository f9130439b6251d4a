# --8<-- [start:write_tensorflow]
import keras
import numpy as np
import tensorflow as tf

x = np.random.default_rng(0).normal(5, 3, (64, 4)).astype("float32")
norm = keras.layers.BatchNormalization(momentum=0.5)
model = keras.Sequential([keras.Input(shape=(4,)), norm])
norm(x, training=True)
tf.train.Checkpoint(model=model).write("checkpoints/net")
np.savez(
    "expected.npz", *model.get_weights(), x=x, outputs=model(x, training=False)
)
# --8<-- [end:write_tensorflow]

# --8<-- [start:see]
import os

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np
import tensorflow as tf

norm = keras.layers.BatchNormalization(momentum=0.5)
model = keras.Sequential([keras.Input(shape=(4,)), norm])
try:
    tf.train.Checkpoint(model=model).read("checkpoints/net")
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:see]

# --8<-- [start:convert]
import keras
import tensorflow as tf

norm = keras.layers.BatchNormalization(momentum=0.5)
model = keras.Sequential([keras.Input(shape=(4,)), norm])
tf.train.Checkpoint(model=model).read("checkpoints/net").assert_consumed()
model.save("net.keras")
# --8<-- [end:convert]

# --8<-- [start:sure]
loaded = keras.saving.load_model("net.keras")
expected = np.load("expected.npz")
for i, array in enumerate(loaded.get_weights()):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
print("backend:", keras.config.backend())
print(i + 1, "arrays equal")
# --8<-- [end:sure]

# --8<-- [start:export]
loaded.export("served", verbose=False)
served = tf.saved_model.load("served")
np.testing.assert_allclose(
    served.serve(expected["x"]), expected["outputs"], atol=1e-5
)
print("exported from JAX, predictions within 1e-5")
# --8<-- [end:export]
