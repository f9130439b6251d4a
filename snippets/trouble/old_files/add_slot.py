# --8<-- [start:write]
import numpy as np
from tensorflow import keras

x = np.random.normal(5, 3, size=(16, 8)).astype("float32")
model = keras.Sequential([keras.Input(shape=(8,))])
model.add(keras.layers.BatchNormalization(name="bn"))
model.compile(keras.optimizers.legacy.Adam(0.01), "mse")
model.fit(x, x, epochs=50, verbose=0)
model.save("folder")
model.save("plain", include_optimizer=False, save_traces=False)
outputs = model.predict(x, verbose=0)
np.savez("expected.npz", *model.get_weights(), x=x, outputs=outputs)
# --8<-- [end:write]

# --8<-- [start:see]
import keras
import tensorflow as tf


def attempt(what, load):
    try:
        load()
        print(f"{what}: loaded")
    except AttributeError as error:
        print(f"{what}: AttributeError: {error}")


attempt("plain", lambda: tf.saved_model.load("plain"))
attempt("load", lambda: tf.saved_model.load("folder"))
attempt(
    "TFSMLayer",
    lambda: keras.layers.TFSMLayer("folder", call_endpoint="serving_default"),
)
# --8<-- [end:see]

# --8<-- [start:installed]
import keras
import numpy as np

layer = keras.layers.TFSMLayer("folder", call_endpoint="serving_default")
expected = np.load("expected.npz")
outputs = layer(expected["x"])["bn"]
np.testing.assert_allclose(outputs, expected["outputs"], 1e-4, 1e-5)
print("Keras", keras.__version__, "predicts equal within 1e-5")
# --8<-- [end:installed]

# --8<-- [start:fix]
import shutil

from tensorflow.core.protobuf import saved_model_pb2

shutil.copytree("folder", "mended")
with open("mended/saved_model.pb", "rb") as file:
    saved = saved_model_pb2.SavedModel.FromString(file.read())
for node in saved.meta_graphs[0].object_graph_def.nodes:
    del node.slot_variables[:]
with open("mended/saved_model.pb", "wb") as file:
    file.write(saved.SerializeToString())
# --8<-- [end:fix]

# --8<-- [start:sure]
import numpy as np

loaded = tf.saved_model.load("mended")
layer = keras.layers.TFSMLayer("mended", call_endpoint="serving_default")
expected = np.load("expected.npz")
for i, variable in enumerate(loaded.variables):
    equal = np.array_equal(variable, expected[f"arr_{i}"])
    print(f"{variable.name:20} equal: {equal}")
outputs = layer(expected["x"])["bn"]
np.testing.assert_allclose(outputs, expected["outputs"], 1e-4, 1e-5)
print("predictions equal within 1e-5")
# --8<-- [end:sure]
