# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf


class Net(keras.Model):
    def __init__(self, order, in_lists=False):
        super().__init__()
        for name in order:
            bn = keras.layers.BatchNormalization()
            setattr(self, name, [bn] if in_lists else bn)

    def call(self, x, training=False):
        for part in [self.a, self.b]:
            for bn in part if isinstance(part, list) else [part]:
                x = bn(x, training=training)
        return x


x = np.random.normal(size=(8, 4)).astype("float32")


def built(net):
    net(x)
    return net, tf.train.Checkpoint(model=net, arrays=net.variables)


model, checkpoint = built(Net("ab"))
for variable in model.variables:
    variable.assign(np.random.uniform(1, 2, size=4))
path = checkpoint.save("checkpoints/net")


def report(case, net):
    equal = np.array_equal(model(x), net(x))
    print(f"{case}: predictions equal: {equal}")


# --8<-- [end:setup]

# --8<-- [start:see]
for order in ["ba", "ab"]:
    net, checkpoint = built(Net(order))
    checkpoint.restore(path).assert_consumed()
    report(f"{order}, assert_consumed passes", net)
# --8<-- [end:see]


# --8<-- [start:fix]
def by_name(net, path):
    if getattr(net, "optimizer", None):
        raise ValueError("moments go by position: restore, then compile")
    reached = {id(part) for part in tf.train.TrackableView(net).descendants()}
    named = sum(id(weight) in reached for weight in net.weights)
    if not 0 < named == len(net.weights):
        raise ValueError(f"{named} of {len(net.weights)} arrays have a name")
    status = tf.train.Checkpoint(model=net).restore(path)
    status.expect_partial().assert_existing_objects_matched()


net, checkpoint = built(Net("ba"))
by_name(net, path)
report("ba, by name", net)
# --8<-- [end:fix]


# --8<-- [start:sure]
def same_order(net, path):
    by_position = net.get_weights()
    by_name(net, path)
    return all(map(np.array_equal, by_position, net.get_weights()))


for order in ["ba", "ab"]:
    net, checkpoint = built(Net(order))
    checkpoint.restore(path)
    print(f"{order}: same order: {same_order(net, path)}")
# --8<-- [end:sure]

# --8<-- [start:lists]
model, checkpoint = built(Net("ab", in_lists=True))
for variable in model.variables:
    variable.assign(np.random.uniform(1, 2, size=4))
path = checkpoint.save("lists/net")
net, checkpoint = built(Net("ba", in_lists=True))
checkpoint.restore(path).assert_consumed()
report("in lists, ba", net)
try:
    same_order(net, path)
except ValueError:
    print("in lists, ba: same_order refuses")
# --8<-- [end:lists]
