# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
generator = keras.Sequential(
    [
        keras.Input(shape=(16,)),
        keras.layers.Dense(64, use_bias=False, kernel_initializer="he_normal"),
        keras.layers.BatchNormalization(),
        keras.layers.ReLU(),
        keras.layers.Dense(64, use_bias=False),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(64, activation="tanh"),
    ]
)
noise = keras.random.normal((1792, 16)).numpy()
batches = np.split(noise, 28)
for z in batches + batches:  # the calls of two epochs
    generator(z, training=True)


def spread(training):
    return np.std([generator(z, training=training) for z in batches])


# --8<-- [end:setup]

# --8<-- [start:see]
as_trained = spread(training=True)
print("inference mode within 2% of it:", end=" ")
print(abs(spread(training=False) / as_trained - 1) < 0.02)
# --8<-- [end:see]

# --8<-- [start:fix]
from bn_tools import estimate_again

estimate_again(generator, batches)
# --8<-- [end:fix]

# --8<-- [start:sure]
print("inference mode within 2% of it:", end=" ")
print(abs(spread(training=False) / as_trained - 1) < 0.02)
# --8<-- [end:sure]
