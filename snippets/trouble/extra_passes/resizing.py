# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

x = np.random.default_rng(0).normal(5, 3, (64, 8, 8, 3)).astype("float32")


def build(*before, **arguments):
    """Return a model that knows a mean of 5 and a variance of 9."""
    outputs = inputs = keras.Input(shape=(8, 8, 3))
    for layer in before:
        outputs = layer(outputs, **arguments)
    bn = keras.layers.BatchNormalization(name="bn")
    model = keras.Model(inputs, bn(outputs))
    bn.moving_mean.assign([5.0] * 3)
    bn.moving_variance.assign([9.0] * 3)
    return model


def moves(model, call):
    """Return whether a call moves the statistics, and undo that."""
    mean = model.get_layer("bn").moving_mean
    before = mean.numpy()
    call(x)
    moved = not np.array_equal(mean, before)
    mean.assign(before)
    return moved


def report(name, model):
    in_predict = moves(model, lambda x: model.predict(x, verbose=0))
    print(f"{name:14} model(x): {moves(model, model)!s:6}", end="")
    print("predict:", in_predict)


# --8<-- [end:setup]

# --8<-- [start:see]
print("statistics move in")
report("no such layer", build())
report("Rescaling", build(keras.layers.Rescaling(1.0)))
report("RandomFlip", build(keras.layers.RandomFlip()))
report("Resizing", build(keras.layers.Resizing(8, 8)))
# --8<-- [end:see]


# --8<-- [start:class]
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.resize = keras.layers.Resizing(8, 8)
        self.bn = keras.layers.BatchNormalization(name="bn")

    def call(self, x):
        return self.bn(self.resize(x))


class Passes(Net):
    def call(self, x, training=False):
        return self.bn(self.resize(x), training=training)


for net in [Net(), Passes()]:
    net(x)
    report(type(net).__name__, net)
# --8<-- [end:class]


# --8<-- [start:export]
def report_export(name, model):
    model.export("exported", verbose=False)
    served = tf.saved_model.load("exported")
    alone, among_others = served.serve(x[:1])[0], served.serve(x)[0]
    same = np.allclose(alone, among_others, atol=1e-3)
    print(f"{name:14} an image alone as in a batch: {same}")


report_export("no such layer", build())
report_export("Resizing", build(keras.layers.Resizing(8, 8)))
# --8<-- [end:export]

# --8<-- [start:why]
import inspect

for layer in [keras.layers.Rescaling, keras.layers.Resizing]:
    print(layer.__name__, inspect.signature(layer.call))
# --8<-- [end:why]

# --8<-- [start:fix]
model = build(keras.layers.Resizing(8, 8))
print("statistics move:", moves(model, lambda x: model(x, training=False)))
# --8<-- [end:fix]

# --8<-- [start:code]
model = build(keras.layers.Resizing(8, 8), training=False)
report("Resizing", model)
report_export("Resizing", model)
# --8<-- [end:code]

# --8<-- [start:sure]
model.compile("sgd", "mse")
print("fit moves them:", moves(model, lambda x: model.fit(x, x, verbose=0)))
model.save("model.keras")
report("loaded", keras.saving.load_model("model.keras"))
# --8<-- [end:sure]
