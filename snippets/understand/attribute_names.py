# --8<-- [start:subclassed]
import keras
import numpy as np

x = np.random.normal(5, 3, size=(64, 3)).astype("float32")


class Net(keras.Model):
    def __init__(self, attribute):
        super().__init__()
        self.dense = keras.layers.Dense(2)
        self.attribute = attribute
        setattr(self, attribute, keras.layers.BatchNormalization())

    def call(self, x, training=False):
        bn = getattr(self, self.attribute)
        return bn(self.dense(x), training=training)


nets = {}
for attribute in ["bn", "inner", "middle", "norm"]:
    nets[attribute] = Net(attribute)
    nets[attribute](x[:1], training=False)
    nets[attribute](x, training=True)
# --8<-- [end:subclassed]


# --8<-- [start:subclassed_checkpoint]
import tensorflow as tf


def show(net, name, value):
    bn = getattr(net, net.attribute)
    equal = np.array_equal(value, bn.moving_mean)
    print(name + ("  <- moving_mean" if equal and np.any(value) else ""))


for attribute, net in nets.items():
    path = tf.train.Checkpoint(model=net).save(f"{attribute}/net")
    for key, _ in tf.train.list_variables(path):
        if "moving_mean" in key:
            value = tf.train.load_variable(path, key)
            show(net, key.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE"), value)
# --8<-- [end:subclassed_checkpoint]


# --8<-- [start:subclassed_weights]
import h5py


def moving_mean_of(net):
    found = []

    def visit(name, node):
        if name.endswith("vars/2"):
            found.append((name, node[()]))

    net.save_weights(f"{net.attribute}.weights.h5")
    with h5py.File(f"{net.attribute}.weights.h5") as file:
        file.visititems(visit)
    return found


for net in nets.values():
    for name, value in moving_mean_of(net):
        show(net, name, value)
# --8<-- [end:subclassed_weights]

# --8<-- [start:renamed]
for old, new in [("bn", "bn"), ("bn", "norm"), ("middle", "norm")]:
    net = Net(new)
    net(x[:1], training=False)
    try:
        net.load_weights(f"{old}.weights.h5")
        show(nets[old], f"{old} into {new}", getattr(net, new).moving_mean)
    except ValueError as error:
        said = str(error).splitlines()[2].partition(" expected ")[2]
        print(f"{old} into {new}: ValueError: ... expected", said)
# --8<-- [end:renamed]
