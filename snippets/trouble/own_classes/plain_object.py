# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 8)).astype("float32")


def build_model(layer):
    model = keras.Sequential(
        [keras.Input(shape=(8,)), layer, keras.layers.Dense(3)]
    )
    model(x[:1])  # makes the arrays
    return model


def report(block):
    model = build_model(block())
    for _ in range(2):
        model(x, training=True)  # moves the statistics
    model.save("model.keras")
    model.save_weights("model.weights.h5")
    saved = tf.train.Checkpoint(model=model, arrays=model.variables)
    path = saved.save("folder/model")

    loaded = [build_model(block()) for _ in range(3)]
    loaded[0] = keras.saving.load_model("model.keras")
    loaded[1].load_weights("model.weights.h5")
    arrays = loaded[2].variables
    tf.train.Checkpoint(model=loaded[2], arrays=arrays).restore(path)
    expected = model(x, training=False)
    ways = [".keras", ".weights.h5", "checkpoint"]
    print(f"{block.__name__}: {len(model.weights)} arrays", end="")
    for way, other in zip(ways, loaded, strict=True):
        same = np.array_equal(expected, other(x, training=False))
        print(f", {way}: {'equal' if same else 'lost'}", end="")
    print()


# --8<-- [end:setup]


# --8<-- [start:see]
class Helper:  # a plain object, not a layer
    def __init__(self):
        self.bn = keras.layers.BatchNormalization()


@keras.saving.register_keras_serializable(package="mine")
class Hidden(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.helper = Helper()

    def call(self, x, training=None):
        return self.helper.bn(x, training=training)


report(Hidden)
# --8<-- [end:see]


# --8<-- [start:fix]
@keras.saving.register_keras_serializable(package="mine")
class Found(Hidden):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.bn = self.helper.bn  # an attribute as well


# --8<-- [end:fix]

# --8<-- [start:received]
build_model(Hidden()).save_weights("hidden.weights.h5")
try:
    build_model(Found()).load_weights("hidden.weights.h5")
except ValueError as error:
    text = str(error)
    print("ValueError: ...", text[text.index("expected") :].splitlines()[0])
# --8<-- [end:received]

# --8<-- [start:sure]
from bn_tools import batch_norms

report(Found)
for block in [Hidden, Found]:
    print(block.__name__, "found:", len(batch_norms(build_model(block()))))
# --8<-- [end:sure]
