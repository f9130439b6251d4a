# --8<-- [start:setup]
import keras
import numpy as np

x = np.random.normal(5, 3, size=(64, 8)).astype("float32")


class Block(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.bn = keras.layers.BatchNormalization()

    def call(self, x, training=None):
        return self.bn(x, training=training)


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.bn = keras.layers.BatchNormalization()

    def call(self, x, training=False):
        return self.bn(x, training=training)


# --8<-- [end:setup]

# --8<-- [start:see]
import copy
import pickle


def load(model, **arguments):
    model.save("model.keras")
    return keras.saving.load_model("model.keras", **arguments)


def through_pickle(model):
    return pickle.loads(pickle.dumps(model))


def predictions_equal(one, other):
    return np.array_equal(one(x, training=False), other(x, training=False))


def report(model):
    model(x, training=True)  # moves the statistics
    for way in [load, copy.deepcopy, copy.copy, through_pickle]:
        try:
            equal = predictions_equal(model, way(model))
            print(f"{way.__name__}: predictions equal: {equal}")
        except TypeError as error:
            text = str(error)
            message = text[text.index("Could not") :].partition(". ")[0]
            print(f"{way.__name__}: TypeError: {message}")


report(keras.Sequential([keras.Input(shape=(8,)), Block()]))
net = Net()
report(net)
# --8<-- [end:see]


# --8<-- [start:registered]
import keras


@keras.saving.register_keras_serializable(package="mine")
class RegisteredNet(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.bn = keras.layers.BatchNormalization()

    def call(self, x, training=False):
        return self.bn(x, training=training)


# --8<-- [end:registered]

# --8<-- [start:fix]
registered = RegisteredNet()
report(registered)
registered.save("registered.keras")
# --8<-- [end:fix]

# --8<-- [start:unchanged]
loaded = load(net, custom_objects={"Net": Net})
print("custom_objects, equal:", predictions_equal(net, loaded))

second = Net()
second(x[:1])  # creates the arrays
print("another model, equal: ", predictions_equal(net, second))
second.set_weights(net.get_weights())
print("set_weights, equal:   ", predictions_equal(net, second))
# --8<-- [end:unchanged]

# --8<-- [start:stranger]
import keras

try:
    keras.saving.load_model("registered.keras")
except TypeError as error:
    text = str(error)
    print("TypeError:", text[text.index("Could not") :].partition(" ...")[0])
# --8<-- [end:stranger]

# --8<-- [start:reload]
loaded = keras.saving.load_model("registered.keras")
print(len(loaded.weights), "arrays loaded")
# --8<-- [end:reload]
