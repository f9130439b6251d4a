# --8<-- [start:see]
import keras
import numpy as np

x = np.random.normal(5, 3, size=(64, 8)).astype("float32")


@keras.saving.register_keras_serializable(package="mine")
class Block(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.bn = keras.layers.BatchNormalization()

    def call(self, x, training=None):
        return self.bn(x, training=training)

    def get_config(self):
        return super().get_config()


model = keras.Sequential([keras.Input(shape=(8,)), Block()])
model(x, training=True)  # moves the statistics
model.save("model.keras")
try:
    keras.saving.load_model("model.keras")
except TypeError as error:
    text = str(error)
    print("TypeError: ...", text[text.index("Block.__init__") :].split("\n")[0])
# --8<-- [end:see]


# --8<-- [start:fix]
@keras.saving.register_keras_serializable(package="mine")
class Block(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.bn = keras.layers.BatchNormalization()

    def call(self, x, training=None):
        return self.bn(x, training=training)


loaded = keras.saving.load_model("model.keras")  # the file of before
# --8<-- [end:fix]

# --8<-- [start:sure]
same = np.array_equal(model(x, training=False), loaded(x, training=False))
print(len(loaded.weights), "arrays, predictions equal:", same)
layer = Block(name="block")
print("name kept:", Block.from_config(layer.get_config()).name == "block")
# --8<-- [end:sure]
