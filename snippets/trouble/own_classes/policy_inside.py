# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 8)).astype("float32")


@keras.saving.register_keras_serializable()
class Block(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.bn = keras.layers.BatchNormalization()

    def call(self, x, training=None):
        return self.bn(x, training=training)


# --8<-- [end:setup]


# --8<-- [start:see]
import copy


def saved_and_loaded(model):
    model.save("model.keras")
    return keras.saving.load_model("model.keras")


def show_policies(block):
    keras.config.set_dtype_policy("mixed_float16")
    model = keras.Sequential([keras.Input(shape=(8,)), block()])
    keras.config.set_dtype_policy("float32")  # as in a new process
    for way in [saved_and_loaded, copy.deepcopy, keras.models.clone_model]:
        layer = way(model).layers[0]
        policies = layer.dtype_policy.name, layer.bn.dtype_policy.name
        print(f"{way.__name__:16} {policies[0]}, inside: {policies[1]}")


show_policies(Block)
# --8<-- [end:see]


# --8<-- [start:fix]
@keras.saving.register_keras_serializable()
class KeepsPolicy(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.bn = keras.layers.BatchNormalization(dtype=self.dtype_policy)

    def call(self, x, training=None):
        return self.bn(x, training=training)


# --8<-- [end:fix]

# --8<-- [start:sure]
show_policies(KeepsPolicy)
for block in [Block, KeepsPolicy]:
    keras.config.set_dtype_policy("mixed_float16")
    model = keras.Sequential([keras.Input(shape=(8,)), block()])
    model(x, training=True)  # moves the statistics
    expected = model(x, training=False)
    keras.config.set_dtype_policy("float32")
    loaded = saved_and_loaded(model)
    equal = np.array_equal(expected, loaded(x, training=False))
    print(f"{block.__name__}: predictions equal: {equal}")
# --8<-- [end:sure]
