# --8<-- [start:legacy]
import numpy as np
import tensorflow as tf
import tf_keras as keras

# --8<-- [end:legacy]


# --8<-- [start:model]
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(4)
        self.bn = keras.layers.BatchNormalization()

    def call(self, x, training=False):
        return self.bn(self.dense(x), training=training)


def built():
    net = Net()
    net(np.zeros((1, 4), "float32"))
    return net


def equal(net):
    saved = np.load("net.npz")
    pairs = [(a, saved[f"arr_{i}"]) for i, a in enumerate(net.get_weights())]
    return f"{sum(np.array_equal(*pair) for pair in pairs)} of 6 arrays"


# --8<-- [end:model]

# --8<-- [start:write]
keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 4)).astype("float32")
net = built()
net.compile("sgd", "mse")
net.fit(x, x, epochs=20, verbose=0)
net.save_weights("w")
tf.train.Checkpoint(model=net).write("c")
np.savez("net.npz", *net.get_weights(), x=x, y=net(x))
# --8<-- [end:write]

# --8<-- [start:read]
for path in ["w", "c"]:
    net = built()
    tf.train.Checkpoint(model=net).read(path).expect_partial()
    print(f"{path}: Checkpoint(model=net) {equal(net)}", end=", ")
    net = built()
    tf.train.Checkpoint(net).read(path).expect_partial()
    print(f"Checkpoint(net) {equal(net)}")
# --8<-- [end:read]

# --8<-- [start:now]
import keras
import numpy as np
import tensorflow as tf

# --8<-- [end:now]

# --8<-- [start:see]
for path in ["w", "c"]:
    net = built()
    tf.train.Checkpoint(model=net).read(path).expect_partial()
    print(f"{path}: Checkpoint(model=net) {equal(net)}", end=", ")
    net = built()
    tf.train.Checkpoint(net).read(path).expect_partial()
    print(f"Checkpoint(net) {equal(net)}")
# --8<-- [end:see]

# --8<-- [start:why]
for path in ["w", "c"]:
    keys = [key for key, _ in tf.train.list_variables(path)]
    keys = [key.partition("/.ATTR")[0] for key in keys if "/moving_" in key]
    print(f"{path}:", *keys)
# --8<-- [end:why]

# --8<-- [start:fix]
reader = tf.train.load_checkpoint("w")
for name in ["dense", "bn"]:
    for weight in getattr(net, name).weights:
        key = f"{name}/{weight.name}/.ATTRIBUTES/VARIABLE_VALUE"
        weight.assign(reader.get_tensor(key))
# --8<-- [end:fix]

# --8<-- [start:sure]
print(equal(net))
expected = np.load("net.npz")
np.testing.assert_allclose(
    net(expected["x"], training=False), expected["y"], atol=1e-5
)
# --8<-- [end:sure]
