# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

Checkpoint = tf.train.Checkpoint


class Net(keras.Model):
    def __init__(self, classes):
        super().__init__()
        dense, bn = keras.layers.Dense(4), keras.layers.BatchNormalization()
        self.base = keras.Sequential([dense, bn])
        self.head = keras.layers.Dense(classes)

    def call(self, x, training=False):
        return self.head(self.base(x, training=training))


def make(classes):
    net = Net(classes)
    net(np.zeros((1, 8)))
    net.compile(keras.optimizers.SGD(momentum=0.9), "mse")
    net.optimizer.build(net.trainable_variables)
    return net


model = make(classes=2)
for variable in model.variables:
    variable.assign(np.random.uniform(1, 2, variable.shape))
path = Checkpoint(model=model).save("whole/net")
# --8<-- [end:setup]


# --8<-- [start:see]
def equal(net):
    parts = {
        "moving statistics": lambda each: each.base.non_trainable_weights,
        "the rest of the base": lambda each: each.base.trainable_weights,
        "head": lambda each: each.head.weights,
    }
    said = [
        name
        for name, arrays in parts.items()
        if all(map(np.array_equal, arrays(net), arrays(model)))
    ]
    return ", ".join(said)


for classes in [2, 3]:
    net = make(classes)
    try:
        Checkpoint(model=net).restore(path).expect_partial()
    except ValueError as error:
        print("ValueError:", str(error).partition(" and name")[0])
    print(f"{classes} classes, equal:", equal(net))
# --8<-- [end:see]

# --8<-- [start:unresolved]
net = make(classes=3)
status = Checkpoint(model=Checkpoint(base=net.base)).restore(path)
try:
    status.assert_consumed()
except AssertionError as error:
    print("AssertionError:", str(error).partition(": ")[0] + ":")
print("equal:", equal(net))
# --8<-- [end:unresolved]

# --8<-- [start:warning]
import gc
import logging


class Messages(logging.Handler):
    def emit(self, record):
        said.append(record.getMessage())


tf.get_logger().addHandler(Messages())
for quiet in [False, True]:
    status = Checkpoint(model=Checkpoint(base=net.base)).restore(path)
    if quiet:
        status.expect_partial()
    said = []
    del status
    gc.collect()
    print(f"expect_partial: {quiet}")
    for text in said:
        if "head" in text:
            print(text.replace(": ", ":\n    "))
# --8<-- [end:warning]

# --8<-- [start:fix]
path_of_base = Checkpoint(base=model.base, arrays=model.base.variables).save(
    "base/net"
)

net = make(classes=3)
status = Checkpoint(base=net.base, arrays=net.base.variables).restore(
    path_of_base
)
status.assert_consumed()
print("equal:", equal(net))
# --8<-- [end:fix]

# --8<-- [start:through]
net = make(classes=3)
status = Checkpoint(model=Checkpoint(base=net.base)).restore(path)
status.expect_partial().assert_existing_objects_matched()
print("equal:", equal(net))
# --8<-- [end:through]

# --8<-- [start:old]
old = make(classes=2)
status = Checkpoint(model=old).restore(path)
status.expect_partial().assert_existing_objects_matched()

net = make(classes=3)
net.base.set_weights(old.base.get_weights())
print("equal:", equal(net))
# --8<-- [end:old]

# --8<-- [start:sure]
x = np.random.normal(5, 3, size=(64, 8)).astype("float32")
for case, base in {"restored": net.base, "new": make(3).base}.items():
    same = np.array_equal(base(x), model.base(x))
    print(f"{case:8}  the base answers as in the old model: {same}")
print("the head has", net(x).shape[1], "outputs")
# --8<-- [end:sure]
