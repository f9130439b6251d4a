# --8<-- [start:see]
import keras
import numpy as np

x = np.random.normal(5, 3, size=(64, 8)).astype("float32")


@keras.saving.register_keras_serializable(package="mine")
class WithoutSuper(keras.layers.BatchNormalization):
    def __init__(self, label="", **kwargs):
        super().__init__(**kwargs)
        self.label = label

    def get_config(self):
        return {"label": self.label}  # super().get_config() is missing


def report(block):
    layer = block("input", epsilon=10.0, momentum=0.9)
    model = keras.Sequential([keras.Input(shape=(8,)), layer])
    model(x, training=True)  # moves the statistics
    model.save("model.keras")
    loaded = keras.saving.load_model("model.keras")
    same = np.array_equal(model(x, training=False), loaded(x, training=False))
    print(f"{block.__name__}: predictions equal: {same}")
    now = loaded.layers[0]
    print(f"label {now.label}, epsilon {now.epsilon}, momentum {now.momentum}")


report(WithoutSuper)
# --8<-- [end:see]


# --8<-- [start:fix]
@keras.saving.register_keras_serializable(package="mine")
class WithSuper(keras.layers.BatchNormalization):
    def __init__(self, label="", **kwargs):
        super().__init__(**kwargs)
        self.label = label

    def get_config(self):
        return {**super().get_config(), "label": self.label}


# --8<-- [end:fix]

# --8<-- [start:sure]
report(WithSuper)
for block in [WithoutSuper, WithSuper]:
    layer = block("input", epsilon=10.0)
    print(block.__name__, "names epsilon:", "epsilon" in layer.get_config())
# --8<-- [end:sure]
