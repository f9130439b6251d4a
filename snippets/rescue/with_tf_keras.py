# --8<-- [start:write]
import numpy as np
from tensorflow import keras

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 8)).astype("float32")
model = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.Dense(4, name="dense"),
        keras.layers.BatchNormalization(name="bn"),
    ]
)
model.compile(keras.optimizers.SGD(0.01), "mse")
model.fit(x, x[:, :4], epochs=20, verbose=0)
model.save("old.h5")
model.save("old.keras")
model.save("folder", save_traces=False)  # a smaller folder
predictions = model.predict(x, verbose=0)
np.savez("expected.npz", *model.get_weights(), x=x, predictions=predictions)
# --8<-- [end:write]

# --8<-- [start:open]
import numpy as np
import tf_keras

expected = np.load("expected.npz")
for path in ["old.h5", "old.keras", "folder"]:
    old = tf_keras.models.load_model(path)
    for i, array in enumerate(old.get_weights()):
        np.testing.assert_array_equal(array, expected[f"arr_{i}"])
    outputs = old(expected["x"], training=False)
    np.testing.assert_allclose(outputs, expected["predictions"], 1e-4, 1e-5)
    print(f"{path:9} equal, optimizer at step {int(old.optimizer.iterations)}")
# --8<-- [end:open]

# --8<-- [start:today]
import keras
import tensorflow as tf

print("without the variable:", tf.keras.Sequential is keras.Sequential)
for path in ["old.keras", "folder"]:
    try:
        keras.saving.load_model(path)
    except (TypeError, ValueError) as error:
        print(f"{path}: {type(error).__name__}")
# --8<-- [end:today]

# --8<-- [start:legacy]
import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # before TensorFlow is imported

import keras
import tensorflow as tf

old = tf.keras.models.load_model("old.keras")
print("tf.keras is", type(old).__module__.partition(".")[0])
print("keras is", keras.__version__)
try:
    tf.keras.Sequential([keras.layers.Dense(4, name="dense")])
except TypeError as error:
    print(f"TypeError: {str(error).partition('.')[0]}")
# --8<-- [end:legacy]

# --8<-- [start:missing]
import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import tensorflow as tf

try:
    print(tf.keras.layers)
except ImportError as error:
    print(f"ImportError: {error}")
# --8<-- [end:missing]

# --8<-- [start:keras-3]
model = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.Dense(4, name="dense"),
        keras.layers.BatchNormalization(name="bn"),
    ]
)
model.load_weights("old.h5")
model.save("new.keras")
# --8<-- [end:keras-3]

# --8<-- [start:newer]
import numpy as np
import tf_keras

try:
    tf_keras.models.load_model("new.keras")
except TypeError as error:
    print(f"TypeError: {str(error).partition(' using')[0]}")
    print(str(error).splitlines()[-1])

twin = tf_keras.models.load_model("old.h5", compile=False)
twin.set_weights([0 * array for array in twin.get_weights()])
twin.load_weights("new.keras")
for i, array in enumerate(twin.get_weights()):
    np.testing.assert_array_equal(array, np.load("expected.npz")[f"arr_{i}"])
print("load_weights: all arrays equal")
# --8<-- [end:newer]
