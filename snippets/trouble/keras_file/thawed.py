# --8<-- [start:setup]
import keras
import numpy as np


@keras.saving.register_keras_serializable()
class Block(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.bn = keras.layers.BatchNormalization()

    def build(self, input_shape):
        self.bn.build(input_shape)
        super().build(input_shape)

    def call(self, x, training=False):
        return self.bn(x, training=training)


inputs = keras.Input(shape=(5, 8))
layers = {
    "BatchNormalization": keras.layers.BatchNormalization(),
    "Block": Block(),
    "MultiHeadAttention": keras.layers.MultiHeadAttention(2, 4),
}
x = layers["BatchNormalization"](inputs)
x = layers["Block"](x)
model = keras.Model(inputs, layers["MultiHeadAttention"](x, x))
# --8<-- [end:setup]


# --8<-- [start:see]
def saved_and_loaded(layer):
    layer.trainable = False
    model.save("model.keras")
    layer.trainable = True
    return keras.saving.load_model("model.keras")


print(f"all trainable: {len(model.trainable_variables)} arrays")
for name, layer in layers.items():
    layer.trainable = False
    frozen = len(model.trainable_variables)
    loaded = saved_and_loaded(layer)
    print(f"{name} frozen: {frozen}, loaded: {len(loaded.trainable_variables)}")
# --8<-- [end:see]

# --8<-- [start:fix]
for name, layer in layers.items():
    loaded = saved_and_loaded(layer)
    counts = []
    for flag in [False, True, False]:
        loaded.get_layer(layer.name).trainable = flag
        counts.append(len(loaded.trainable_variables))
    print(f"{name}: False: {counts[0]}, then True, False: {counts[2]}")
# --8<-- [end:fix]

# --8<-- [start:sure]
from bn_tools import compare, write_record

rows = np.random.normal(5, 3, size=(32, 5, 8)).astype("float32")
layers["Block"].trainable = False
write_record("model.npz", model, rows)
model.save("model.keras")

loaded = keras.saving.load_model("model.keras")
print(
    *[line for line in compare("model.npz", loaded) if "trainable" in line],
    sep="\n",
)
for flag in [True, False]:
    loaded.get_layer(layers["Block"].name).trainable = flag
print([line for line in compare("model.npz", loaded) if "trainable" in line])
# --8<-- [end:sure]
