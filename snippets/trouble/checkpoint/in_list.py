# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.blocks = [
            keras.layers.Dense(4),
            keras.layers.BatchNormalization(),
        ]
        self.head = keras.layers.Dense(2)

    def call(self, x, training=False):
        dense, bn = self.blocks
        return self.head(bn(dense(x), training=training))


def with_random_arrays():
    net = Net()
    net(np.zeros((1, 8)))
    for variable in net.variables:
        variable.assign(np.random.uniform(1, 2, variable.shape))
    return net


def assert_and_count(status, loaded):
    status.assert_existing_objects_matched()
    status.assert_consumed()
    equal = sum(map(np.array_equal, model.variables, loaded.variables))
    print(f"both pass, {equal} of {len(model.variables)} arrays equal")


model = with_random_arrays()
# --8<-- [end:setup]

# --8<-- [start:see]
path = tf.train.Checkpoint(model=model).save("model/net")

loaded = with_random_arrays()
status = tf.train.Checkpoint(model=loaded).restore(path)
assert_and_count(status, loaded)
# --8<-- [end:see]

# --8<-- [start:fix]
both = tf.train.Checkpoint(model=model, arrays=model.variables)
path = both.save("arrays/net")

loaded = with_random_arrays()
both = tf.train.Checkpoint(model=loaded, arrays=loaded.variables)
assert_and_count(both.restore(path), loaded)
# --8<-- [end:fix]

# --8<-- [start:sure]
bn = keras.layers.BatchNormalization()
bn.build((None, 8))


def in_file(container, **also):
    holder = keras.Model()
    holder.blocks = container
    also = {name: holder.variables for name in also}
    path = tf.train.Checkpoint(model=holder, **also).save("containers/net")
    keys = [key for key, _ in tf.train.list_variables(path)]
    return sum(key.startswith(("model/", "arrays/")) for key in keys)


for name, container in {
    "a list": [bn],
    "a dict": {"bn": bn},
    "a tuple": (bn,),
    "a list in a tuple": ([bn],),
    "a tuple in a list": [(bn,)],
}.items():
    found = in_file(container), in_file(container, arrays=True)
    print(f"{name:18} model: {found[0]} of 4   and arrays: {found[1]} of 4")
# --8<-- [end:sure]
