# --8<-- [start:see]
import keras
import numpy as np

x = np.random.normal(5, 3, size=(64, 8)).astype("float32")
EPSILON = 0.01


@keras.saving.register_keras_serializable()
class Fixed(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.bn = keras.layers.BatchNormalization(epsilon=EPSILON)

    def call(self, x, training=None):
        return self.bn(x, training=training)


def save(layer, path):
    model = keras.Sequential([keras.Input(shape=(8,)), layer])
    model.save(path)
    return model


def report(model, path):
    loaded = keras.saving.load_model(path)
    epsilon = loaded.layers[0].bn.epsilon
    equal = np.array_equal(model(x, training=False), loaded(x, training=False))
    print(f"{path}: epsilon {epsilon}, predictions equal: {equal}")


fixed = save(Fixed(), "fixed.keras")
report(fixed, "fixed.keras")
EPSILON = 10.0  # somebody edits the code
report(fixed, "fixed.keras")
# --8<-- [end:see]


# --8<-- [start:fix]
@keras.saving.register_keras_serializable()
class Block(keras.layers.Layer):
    def __init__(self, epsilon=EPSILON, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self.bn = keras.layers.BatchNormalization(epsilon=epsilon)

    def call(self, x, training=None):
        return self.bn(x, training=training)

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}


# --8<-- [end:fix]

# --8<-- [start:sure]
import json
import zipfile

block = save(Block(epsilon=0.01), "block.keras")
report(block, "block.keras")
for path in ["fixed.keras", "block.keras"]:
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
    arguments = config["config"]["layers"][-1]["config"]
    print(path, "holds epsilon:", arguments.get("epsilon"))
# --8<-- [end:sure]
