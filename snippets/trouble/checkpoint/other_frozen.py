# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf


def two_norms(frozen):
    net = keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.BatchNormalization(name="a"),
            keras.layers.BatchNormalization(name="b"),
        ]
    )
    net.get_layer(frozen).trainable = False
    net.compile("adam", "mse")
    net.optimizer.build(net.trainable_variables)
    return net


def passes(status):
    try:
        status.assert_consumed()
    except AssertionError:
        return False
    return True


x = np.random.normal(5, 3, size=(64, 8)).astype("float32")
model = two_norms(frozen="a")
model.fit(x, x, epochs=3, verbose=0)
# --8<-- [end:setup]

# --8<-- [start:see]
path = tf.train.Checkpoint(model=model).save("model/net")
for frozen in ["b", "a"]:
    loaded = two_norms(frozen)
    status = tf.train.Checkpoint(model=loaded).restore(path)
    for name in ["a", "b"]:
        gamma = loaded.get_layer("a").gamma
        if np.array_equal(gamma, model.get_layer(name).gamma):
            print(f"{frozen} frozen: a's gamma is {name}'s", end=", ")
    print("assert_consumed passes:", passes(status))
# --8<-- [end:see]


# --8<-- [start:silent]
def checkpoint_of(net):
    return tf.train.Checkpoint(model=net, arrays=net.variables)


path = checkpoint_of(model).save("arrays/net")
for frozen in ["b", "a"]:
    loaded = two_norms(frozen)
    checkpoint_of(loaded).restore(path).assert_consumed()
    equal = sum(map(np.array_equal, model.variables, loaded.variables))
    saved, moment = (net.optimizer.variables[2] for net in (model, loaded))
    assert np.array_equal(saved, moment)
    layer = "b" if "_b_" in moment.name else "a"
    print(f"{frozen} frozen: {equal} of 8 equal, b's moment went to {layer}")
# --8<-- [end:silent]

# --8<-- [start:fix]
loaded = two_norms(frozen="a")  # as it was when it was saved
checkpoint_of(loaded).restore(path).assert_consumed()
equal = sum(map(np.array_equal, model.variables, loaded.variables))
print(f"restored: {equal} of 8 equal")

loaded.get_layer("a").trainable = True  # only now what you want to change
loaded.compile("adam", "mse")
# --8<-- [end:fix]


# --8<-- [start:sure]
def flags_of(net):
    learning = {id(v) for v in net.trainable_variables}
    return [id(v) in learning for v in net.variables]


flags = tf.Variable(flags_of(model))
path = tf.train.Checkpoint(flags=flags, model=model).save("flags/net")

saved = tf.train.load_variable(path, "flags/.ATTRIBUTES/VARIABLE_VALUE")
for frozen in ["b", "a"]:
    equal = np.array_equal(saved, flags_of(two_norms(frozen)))
    print(f"{frozen} frozen: the flags are those of the file: {equal}")
# --8<-- [end:sure]
