# --8<-- [start:setup]
import gc
import logging

import keras
import numpy as np
import tensorflow as tf

Checkpoint = tf.train.Checkpoint


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(4)
        self.bn = keras.layers.BatchNormalization()

    def call(self, x, training=False):
        return self.bn(self.dense(x), training=training)


def make(compiled=True, built=True):
    net = Net()
    if built:
        net(np.zeros((1, 8)))
    if compiled:
        net.compile(keras.optimizers.SGD(momentum=0.9), "mse")
        net.optimizer.build(net.trainable_variables)
    return net


def message(assertion):
    try:
        assertion()
    except AssertionError as error:
        return str(error)
    return ""


model = make()
for variable in model.variables:
    variable.assign(np.random.uniform(1, 2, variable.shape))
path = Checkpoint(model=model).save("saved/net")
written = Checkpoint(model=model).write("written/net")
# --8<-- [end:setup]


# --8<-- [start:see]
def attempt(case, status, net):
    matched = message(status.assert_existing_objects_matched)
    consumed = message(status.assert_consumed)
    said = ["raises" if text else "passes" for text in (matched, consumed)]
    equal = sum(map(np.array_equal, model.variables, net.variables))
    print(
        f"{case:22} matched {said[0]}  consumed {said[1]}  arrays {equal} of 6"
    )
    return consumed


net = make()
attempt("compiled and built", Checkpoint(model=net).restore(path), net)

net = make(compiled=False)
status = Checkpoint(model=net).restore(path)
unresolved = attempt("built, not compiled", status, net)

net = make(compiled=False, built=False)
status = Checkpoint(model=net).restore(path)
net(np.zeros((1, 8)))
unassigned = attempt("built after restore", status, net)

net = make()
unbound = attempt("another name", Checkpoint(net=net).restore(path), net)

net = make()
attempt("written, not saved", Checkpoint(model=net).restore(written), net)

net = make()
nothing = attempt(
    "no checkpoint found", Checkpoint(model=net).restore(None), net
)
# --8<-- [end:see]

# --8<-- [start:unresolved]
print("AssertionError:", unresolved.partition(" attributes")[0])
# --8<-- [end:unresolved]

# --8<-- [start:unbound]
print("AssertionError:", unbound.partition(",")[0])
# --8<-- [end:unbound]

# --8<-- [start:unassigned]
print("AssertionError: Object ...", unassigned.splitlines()[-1].strip())
# --8<-- [end:unassigned]

# --8<-- [start:nothing]
print("AssertionError:", nothing)
# --8<-- [end:nothing]


# --8<-- [start:warning]
class Messages(logging.Handler):
    def emit(self, record):
        said.append(record.getMessage())


del status, net  # of the cases above
gc.collect()
tf.get_logger().addHandler(Messages())
unbuilt = {"compiled": False, "built": False}
for case, options, name, partial in [
    ("compiled and built", {}, "model", False),
    ("built, not compiled", {"compiled": False}, "model", False),
    ("expect_partial", {"compiled": False}, "model", True),
    ("built after restore", unbuilt, "model", False),
    ("another name", {}, "net", False),
]:
    net = make(**options)
    status = Checkpoint(**{name: net}).restore(path)
    if partial:
        status.expect_partial()
    net(np.zeros((1, 8)))
    equal = sum(map(np.array_equal, model.variables, net.variables))
    said = []
    del status, net
    gc.collect()
    named = {text.split(".")[2] for text in said if "(root).model" in text}
    print(f"{case:20} arrays {equal} of 6  warnings name", *sorted(named))
print("WARNING:tensorflow:" + said[0].partition(". ")[0])
print("WARNING:tensorflow:" + said[1])
# --8<-- [end:warning]

# --8<-- [start:fix]
net = make(compiled=False)
status = Checkpoint(model=net).restore(path)
status.expect_partial().assert_existing_objects_matched()

net = make()
Checkpoint(model=net).read(written).assert_consumed()
# --8<-- [end:fix]

# --8<-- [start:sure]
for saved, array in zip(model.variables, net.variables, strict=True):
    np.testing.assert_array_equal(saved, array)
print(len(net.variables), "arrays equal")
# --8<-- [end:sure]
