# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 4)).astype("float32")
base = keras.Sequential(
    [
        keras.Input(shape=(4,)),
        keras.layers.Dense(8),
        keras.layers.BatchNormalization(),
    ]
)


def report(model, loaded):
    equal = len(model.weights) == len(loaded.weights) and all(
        map(np.array_equal, model.weights, loaded.weights)
    )
    print(f"{len(loaded.weights)} of {len(model.weights)}, equal: {equal}")


# --8<-- [end:setup]


# --8<-- [start:see]
import warnings


@keras.saving.register_keras_serializable(package="demo")
class Classifier(keras.Model):
    def __init__(self, base, **kwargs):
        super().__init__(**kwargs)
        self.base = base
        self.head = keras.layers.Dense(2)

    def call(self, x, training=None):
        return self.head(self.base(x, training=training))

    def get_config(self):
        return {**super().get_config(), "base": self.base}


model = Classifier(base)
model(x, training=True)
model.save("model.keras")
with warnings.catch_warnings(record=True, action="always") as caught:
    loaded = keras.saving.load_model("model.keras")
report(model, loaded)
[message] = [str(w.message) for w in caught if "build config" in str(w.message)]
print("UserWarning:", message.partition(" in `")[0])
# --8<-- [end:see]


# --8<-- [start:fix]
def from_config(cls, config):
    base = keras.saving.deserialize_keras_object(config["base"])
    return cls(**{**config, "base": base})


Classifier.from_config = classmethod(from_config)
report(model, keras.saving.load_model("model.keras"))
# --8<-- [end:fix]

# --8<-- [start:sure]
from bn_tools import compare, write_record

write_record("model.npz", model, x[:32])
loaded = keras.saving.load_model("model.keras")
print(compare("model.npz", loaded))
# --8<-- [end:sure]
