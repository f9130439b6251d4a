# --8<-- [start:setup]
import keras
import numpy as np


class Noise(keras.layers.Layer):
    def __init__(self, seed=None):
        super().__init__()
        self.seed = seed

    def call(self, inputs):
        shape = keras.ops.shape(inputs)
        return inputs + keras.random.normal(shape, seed=self.seed)


def draw(model, epoch):
    """Set the states of all masks to those of an epoch, and call the model."""
    for variable in model.variables:
        if variable.name == "seed_generator_state":
            variable.assign([epoch, 0])
    return model(np.zeros((8, 4)), training=True).numpy()


def report(model):
    first, again, other = [draw(model, epoch) for epoch in [1, 1, 2]]
    print("epoch again, same noise: ", np.array_equal(first, again))
    print("next epoch, other noise: ", not np.array_equal(again, other))


norm = keras.layers.BatchNormalization()
# --8<-- [end:setup]

# --8<-- [start:see]
model = keras.Sequential([keras.Input(shape=(4,)), norm, Noise()])
report(model)
# --8<-- [end:see]

# --8<-- [start:fix]
seed = keras.random.SeedGenerator(0)
model = keras.Sequential([keras.Input(shape=(4,)), norm, Noise(seed)])
report(model)
# --8<-- [end:fix]

# --8<-- [start:sure]
for layer in [Noise(), Noise(keras.random.SeedGenerator(0))]:
    print("states:", [v.name for v in layer.variables])
# --8<-- [end:sure]
