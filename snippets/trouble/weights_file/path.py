# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf


def build_model():
    return keras.Sequential(
        [keras.Input(shape=(4,)), keras.layers.BatchNormalization()]
    )


model = build_model()
model.compile("sgd", "mse")
model.optimizer.build(model.trainable_variables)
model(np.random.normal(5, 3, size=(64, 4)), training=True)
model.save_weights("model.weights.h5")
tf.train.Checkpoint(model=model).write("ckpt/model")
# --8<-- [end:setup]

# --8<-- [start:see]
loaded = build_model()
paths = ["ckpt/model", "ckpt", "modle.weights.h5", "model.weights.h5"]
for path in paths:
    try:
        loaded.load_weights(path)
        print(f"{path}: loaded")
    except ValueError as error:
        print("ValueError:", str(error).partition(". ")[0])
    except FileNotFoundError as error:
        print("FileNotFoundError:", str(error).partition(" (")[0])
# --8<-- [end:see]

# --8<-- [start:fix]
loaded = build_model()
status = tf.train.Checkpoint(model=loaded).read("ckpt/model")
status.expect_partial().assert_existing_objects_matched()
# --8<-- [end:fix]

# --8<-- [start:sure]
for name, other in [("not loaded", build_model()), ("loaded", loaded)]:
    equal = sum(map(np.array_equal, model.weights, other.weights))
    print(f"{name}: {equal} of 4 arrays equal")
# --8<-- [end:sure]
