# --8<-- [start:see]
import keras
import numpy as np


def make_model(**arguments):
    return keras.Sequential(
        [
            keras.Input(shape=(None, 2)),
            keras.layers.BatchNormalization(name="bn", **arguments),
        ]
    )


try:
    make_model(axis=1)
except ValueError as error:
    print("ValueError:", str(error).split(" for variable")[0])
# --8<-- [end:see]

# --8<-- [start:fix]
model = make_model()
# --8<-- [end:fix]

# --8<-- [start:sure]
for steps in [10, 20]:
    model(np.ones((4, steps, 2)), training=False)
    print(steps, "steps: moving_mean", model.get_layer("bn").moving_mean.shape)

layer = keras.layers.BatchNormalization(axis=1)
layer(np.ones((4, 10, 2)), training=False)
print("axis=1, 10 steps: moving_mean", layer.moving_mean.shape)
# --8<-- [end:sure]
