# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

x = np.random.normal(5, 3, size=(64, 4)).astype("float32")


def build():
    return keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.Dense(4),
            keras.layers.BatchNormalization(name="bn"),
        ]
    )


def report(net):
    bn, equal = (
        net.get_layer("bn"),
        map(np.array_equal, model.variables, net.variables),
    )
    untouched = np.all(bn.moving_mean == 0) and np.all(bn.moving_variance == 1)
    print(f"{sum(equal)} of 6 arrays equal, statistics 0 and 1: {untouched}")


model = build()
for variable in model.variables:
    variable.assign(np.random.uniform(2, 3, variable.shape))
# --8<-- [end:setup]

# --8<-- [start:see]
path = tf.train.Checkpoint(v=model.trainable_variables).save("some/net")
loaded = build()
status = tf.train.Checkpoint(v=loaded.trainable_variables).restore(path)
print("assert_consumed passes:", status.assert_consumed() is status)
report(loaded)
# --8<-- [end:see]

# --8<-- [start:fix]
path = tf.train.Checkpoint(v=model.variables).save("all/net")
loaded = build()
tf.train.Checkpoint(v=loaded.variables).restore(path).assert_consumed()
report(loaded)
# --8<-- [end:fix]

# --8<-- [start:sure]
for folder in ["some", "all"]:
    path = tf.train.latest_checkpoint(folder)
    keys = [key for key, _ in tf.train.list_variables(path)]
    arrays = sum(key.startswith("v/") for key in keys)
    print(f"{folder}: {arrays} of {len(model.variables)} arrays in the file")
# --8<-- [end:sure]
