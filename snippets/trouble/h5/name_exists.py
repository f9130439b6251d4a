# --8<-- [start:setup]
import keras
import numpy as np

x = np.random.default_rng(0).normal(5, 3, (64, 4)).astype("float32")


@keras.saving.register_keras_serializable()
class Block(keras.layers.Layer):
    """Two BatchNormalization layers, whose names may be equal."""

    def __init__(self, names=("bn", "bn"), **kwargs):
        super().__init__(**kwargs)
        self.names = list(names)
        self.first = keras.layers.BatchNormalization(name=names[0])
        self.second = keras.layers.BatchNormalization(name=names[1])

    def build(self, input_shape):
        self.first.build(input_shape)
        self.second.build(input_shape)

    def call(self, x, training=None):
        return self.second(self.first(x, training=training), training=training)

    def get_config(self):
        return {**super().get_config(), "names": self.names}


def trained(*names):
    model = keras.Sequential([keras.Input((4,)), Block(names)])
    model.compile("sgd", "mse")
    model.fit(x, x, verbose=0)
    return model


def tries(model, name):
    """Say whether a model can be saved, and what is in the file then."""
    try:
        model.save(name)
    except ValueError as error:
        print("ValueError:", error)
    try:
        loaded = keras.saving.load_model(name, compile=False)
    except (ValueError, KeyError) as error:
        print(f"loading it: {type(error).__name__}")
        return
    same = all(map(np.array_equal, model.get_weights(), loaded.get_weights()))
    print(f"{name}: all arrays equal: {same}")


# --8<-- [end:setup]

# --8<-- [start:see]
tries(trained("one", "two"), "model.h5")
tries(trained("bn", "bn"), "model.h5")
# --8<-- [end:see]

# --8<-- [start:group]
model = trained("one", "two")
model.add(keras.layers.Dense(1))
model.layers[1].name = model.layers[0].name
tries(model, "renamed.h5")
tries(model, "renamed.keras")
model.layers[1].name = "head"
tries(model, "renamed.h5")
# --8<-- [end:group]

# --8<-- [start:fix]
tries(trained("bn", "bn"), "model.keras")
# --8<-- [end:fix]

# --8<-- [start:sure]
import os

good = trained("one", "two")
good.save("model.h5")
try:
    trained("bn", "bn").save("new.h5")
    os.replace("new.h5", "model.h5")
except ValueError as error:
    print("ValueError:", error)
kept = keras.saving.load_model("model.h5", compile=False)
same = all(map(np.array_equal, good.get_weights(), kept.get_weights()))
print("the file before is kept:", same)
# --8<-- [end:sure]
