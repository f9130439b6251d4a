# --8<-- [start:setup]
import os
import pathlib

import keras
import numpy as np
import tensorflow as tf

x = np.random.default_rng(0).normal(5, 3, (64, 4)).astype("float32")
layers = [keras.layers.BatchNormalization(), keras.layers.Dense(2)]
model = keras.Sequential([keras.Input((4,)), *layers])
model(x, training=True)
# --8<-- [end:setup]

# --8<-- [start:see]
bucket = "ram://bucket"


def report(name):
    there = tf.io.gfile.exists(f"{bucket}/{name}")
    here = os.path.exists(f"ram:/bucket/{name}")
    print(f"{name:17}in the bucket: {there!s:6} on this disk: {here}")


model.save(f"{bucket}/model.keras")
report("model.keras")
model.save_weights(f"{bucket}/model.weights.h5")
report("model.weights.h5")
model.save(f"{bucket}/model.h5")
report("model.h5")
model.save(pathlib.Path(bucket) / "path.keras")
report("path.keras")
try:
    model.save("s3://bucket/model.keras")
except tf.errors.UnimplementedError as error:
    print("UnimplementedError:", error)
# --8<-- [end:see]

# --8<-- [start:fix]
import filecmp
import tempfile


def copy_to(local, path):
    """Copy a file to where TensorFlow can write, and compare what arrived.

    Args:
        local: A file on this disk.
        path: Where it goes, such as "gs://bucket/model.h5", as a string.

    Raises:
        ValueError: The path is no string, and may have lost a slash.
        tf.errors.AlreadyExistsError: There is a file. It stays.
        OSError: What arrived is not equal.
    """
    if not isinstance(path, str):
        raise ValueError(f"give the path as a string: {path!r}")
    tf.io.gfile.makedirs(os.path.dirname(path))
    tf.io.gfile.copy(local, path)
    with tempfile.TemporaryDirectory() as folder:
        back = os.path.join(folder, "back")
        tf.io.gfile.copy(path, back)
        if not filecmp.cmp(local, back, shallow=False):
            raise OSError(f"{path} is not equal to {local}")


model.save("model.h5")
copy_to("model.h5", f"{bucket}/model.h5")
report("model.h5")
# --8<-- [end:fix]

# --8<-- [start:sure]
predicted = model.predict(x, verbose=0)
tf.io.gfile.copy(f"{bucket}/model.h5", "back.h5")
for path in [f"{bucket}/model.keras", "back.h5"]:
    loaded = keras.saving.load_model(path)
    print(path, np.allclose(loaded.predict(x, verbose=0), predicted))
# --8<-- [end:sure]
