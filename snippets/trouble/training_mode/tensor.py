# --8<-- [start:see]
import keras
import numpy as np
import tensorflow as tf

model = keras.Sequential(
    [keras.Input(shape=(4,)), keras.layers.BatchNormalization(name="bn")]
)
x = np.random.normal(5, 3, size=(64, 4)).astype("float32")


@tf.function
def outputs_of(x, training):
    return model(x, training=training)


try:
    outputs_of(x, training=tf.constant(True))
except TypeError as error:
    message = str(error)
    start = message.index("Using a symbolic")
    print("TypeError:", message[start:].split(". ")[0])
# --8<-- [end:see]

# --8<-- [start:fix]
outputs_of(x, training=True)
# --8<-- [end:fix]

# --8<-- [start:sure]
for training in [True, False]:
    before = model.get_layer("bn").moving_mean.numpy()
    outputs_of(x, training=training)
    moved = not np.array_equal(before, model.get_layer("bn").moving_mean)
    print(f"training={training}: statistics moved: {moved}")
# --8<-- [end:sure]
