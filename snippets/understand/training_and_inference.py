# --8<-- [start:measure]
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(1000, 4)).astype("float32")
y = np.zeros(1000)


def mean_of_outputs(y, outputs):
    return keras.ops.mean(outputs)


def report(what, weights, run):
    moving_mean = next(
        array for array in weights if "moving_mean" in array.name
    )
    before = moving_mean.numpy()
    mean = np.mean(run())
    used = "batch" if abs(mean) < 1 else "moving"
    updated = not np.array_equal(before, moving_mean.numpy())
    print(f"{what:33} {used:7} {'yes' if updated else 'no'}")


# --8<-- [end:measure]


# --8<-- [start:models]
def compiled(model):
    model(x[:1])
    model.compile(optimizer="sgd", loss=mean_of_outputs)
    return model


def functional(trainable=True, **arguments):
    inputs = keras.Input(shape=(4,))
    # The same numbers come out, and a frozen layer leaves something to train.
    same = keras.layers.Dense(4, kernel_initializer="identity")(inputs)
    bn = keras.layers.BatchNormalization(trainable=trainable)
    return compiled(keras.Model(inputs, bn(same, **arguments)))


class WithoutTraining(keras.Model):
    def __init__(self):
        super().__init__()
        self.bn = keras.layers.BatchNormalization()

    def call(self, x):
        return self.bn(x)


class NotPassedOn(WithoutTraining):
    def call(self, x, training=False):
        return self.bn(x)


class FixedStatistics(WithoutTraining):
    def call(self, x, training=False):
        return self.bn(x, training=False)


class PlainLayer(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.bn = keras.layers.BatchNormalization()

    def build(self, input_shape):
        self.bn.build(input_shape)

    def call(self, x):
        return self.bn(x)


# --8<-- [end:models]


# --8<-- [start:table]
def row(what, model, run):
    report(what, model.weights, lambda: run(model))


def fit(model):
    return model.fit(x, y, batch_size=1000, verbose=0).history["loss"]


def evaluate(model):
    return model.evaluate(x, y, batch_size=1000, verbose=0)


def in_tape(model, **arguments):
    with tf.GradientTape() as tape:
        outputs = model(x, **arguments)
    tape.gradient(outputs, model.trainable_variables)
    return outputs


def stateless(model):
    variables = model.trainable_variables, model.non_trainable_variables
    return model.stateless_call(*variables, x, training=True)[0]


print(f"{'entry point':33} {'uses':7} updates")
row("fit", functional(), fit)
row("train_on_batch", functional(), lambda m: m.train_on_batch(x, y))
row("evaluate", functional(), evaluate)
row("test_on_batch", functional(), lambda m: m.test_on_batch(x, y))
row("predict", functional(), lambda m: m.predict(x, verbose=0))
print()
row("model(x)", functional(), lambda m: m(x))
row("model(x, training=False)", functional(), lambda m: m(x, training=False))
row("model(x, training=True)", functional(), lambda m: m(x, training=True))
row("tape: model(x)", functional(), in_tape)
row(
    "tape: model(x, training=True)",
    functional(),
    lambda m: in_tape(m, training=True),
)
row("tf.function: model(x)", functional(), lambda m: tf.function(m)(x))
row(
    "tf.function: training=True",
    functional(),
    lambda m: tf.function(m)(x, training=True),
)
row("stateless_call: training=True", functional(), stateless)
print()
row("fit: class without training", compiled(WithoutTraining()), fit)
row("fit: class not passing it on", compiled(NotPassedOn()), fit)
row("fit: class, bn(x, training=False)", compiled(FixedStatistics()), fit)
inputs = keras.Input(shape=(4,))
wrapped = compiled(keras.Model(inputs, PlainLayer()(inputs)))
row("fit: Layer without training", wrapped, fit)
fixed = functional(training=False)
row("model(x): bn(x, training=False)", fixed, lambda m: m(x))
row("fit: bn(x, training=False)", fixed, fit)
row("fit: bn.trainable = False", functional(trainable=False), fit)
print()
functional().export("exported", verbose=False)
served = tf.saved_model.load("exported")
report("exported: serve(x)", served.variables, lambda: served.serve(x))
# --8<-- [end:table]

# --8<-- [start:overridden]
model = functional(training=False)
(node,) = model.get_config()["layers"][-1]["inbound_nodes"]
print("in the model's config:", node["kwargs"])
row("model(x)", model, lambda m: m(x))
row("model(x, training=True)", model, lambda m: m(x, training=True))
# --8<-- [end:overridden]

# --8<-- [start:reported]
history = (
    functional()
    .fit(x, y, batch_size=1000, validation_data=(x, y), verbose=0)
    .history
)
print("loss is near 0:    ", abs(history["loss"][0]) < 0.5)
print("val_loss is near 0:", abs(history["val_loss"][0]) < 0.5)
# --8<-- [end:reported]

# --8<-- [start:stateless]
model = functional()
bn = model.layers[-1]
outputs, new_values = model.stateless_call(
    model.trainable_variables,
    model.non_trainable_variables,
    x,
    training=True,
)
print("after the call, mean still 0:", not np.any(bn.moving_mean))

for variable, value in zip(model.non_trainable_variables, new_values):
    variable.assign(value)
print("after assign, mean still 0:  ", not np.any(bn.moving_mean))
# --8<-- [end:stateless]
