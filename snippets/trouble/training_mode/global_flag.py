# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

model = keras.Sequential(
    [keras.Input(shape=(4,)), keras.layers.BatchNormalization(name="bn")]
)
x = np.random.normal(5, 3, size=(64, 4)).astype("float32")


def changes(call, **mode):
    before = model.get_weights()
    call(x, **mode)
    return not all(map(np.array_equal, before, model.get_weights()))


# --8<-- [end:setup]

# --8<-- [start:see]
training = True


@tf.function
def by_global(x):
    return model(x, training=training)


print("training changes the statistics:", changes(by_global))
training = False
print("validation changes the statistics:", changes(by_global))
# --8<-- [end:see]


# --8<-- [start:fix]
@tf.function
def by_argument(x, training):
    return model(x, training=training)


by_argument(x, training=True)
# --8<-- [end:fix]

# --8<-- [start:sure]
for training in [True, False]:
    changed = changes(by_argument, training=training)
    print(f"training={training} changes the statistics: {changed}")
# --8<-- [end:sure]
