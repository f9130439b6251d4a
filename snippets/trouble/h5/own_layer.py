# --8<-- [start:setup]
import keras
import numpy as np


@keras.saving.register_keras_serializable()
class Norms(keras.layers.Layer):
    def __init__(self, frozen=False, **kwargs):
        super().__init__(**kwargs)
        self.bn1 = keras.layers.BatchNormalization(trainable=not frozen)
        self.bn2 = keras.layers.BatchNormalization()

    def build(self, input_shape):
        self.bn1.build(input_shape)
        self.bn2.build(input_shape)

    def call(self, x, training=None):
        x = keras.ops.relu(self.bn1(x, training=training))
        return self.bn2(x, training=training)


# --8<-- [end:setup]


# --8<-- [start:see]
def saved_and_loaded(norms):
    model = keras.Sequential([keras.Input(shape=(8,)), norms])
    for i, variable in enumerate(model.weights):
        variable.assign(np.full(8, 1 + i))
    model.save("model.h5")
    return model, keras.saving.load_model("model.h5")


def report(model, loaded):
    for name in ["bn1", "bn2"]:
        saved, array = (
            getattr(net.layers[0], name).gamma for net in [model, loaded]
        )
        print(f"{name} gamma equal: {np.array_equal(saved, array)}")


for frozen in [False, True]:
    norms = Norms()
    norms.bn1.trainable = not frozen
    print("bn1 frozen:", frozen)
    report(*saved_and_loaded(norms))
# --8<-- [end:see]

# --8<-- [start:fix]
model, loaded = saved_and_loaded(norms)  # frozen before the save

rebuilt = keras.Sequential([keras.Input(shape=(8,)), Norms()])
rebuilt.layers[0].bn1.trainable = False
rebuilt.load_weights("model.h5")
report(model, rebuilt)
# --8<-- [end:fix]


# --8<-- [start:kept]
@keras.saving.register_keras_serializable()
class KeptNorms(Norms):
    def get_config(self):
        frozen = not self.bn1.trainable
        return {**super().get_config(), "frozen": frozen}


norms = KeptNorms()
norms.bn1.trainable = False
report(*saved_and_loaded(norms))
# --8<-- [end:kept]

# --8<-- [start:archive]
rebuilt.save("model.keras")
report(model, keras.saving.load_model("model.keras"))
# --8<-- [end:archive]

# --8<-- [start:sure]
from bn_tools import compare, write_record

x = np.random.normal(size=(32, 8)).astype("float32")
write_record("model.npz", model, x)
print("load_model  ", compare("model.npz", loaded)[:1])
print("load_weights", compare("model.npz", rebuilt))
# --8<-- [end:sure]
