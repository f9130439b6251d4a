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
    print(f"{what:31} {used:7} {'yes' if updated else 'no'}")


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
def keras_row(what, model, run):
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


print(f"{'entry point':31} {'uses':7} updates")
keras_row("fit", functional(), fit)
keras_row("train_on_batch", functional(), lambda m: m.train_on_batch(x, y))
keras_row("evaluate", functional(), evaluate)
keras_row("test_on_batch", functional(), lambda m: m.test_on_batch(x, y))
keras_row("predict", functional(), lambda m: m.predict(x, verbose=0))
print()
keras_row("model(x)", functional(), lambda m: m(x))
keras_row(
    "model(x, training=False)", functional(), lambda m: m(x, training=False)
)
keras_row(
    "model(x, training=True)", functional(), lambda m: m(x, training=True)
)
keras_row("tape: model(x)", functional(), in_tape)
keras_row(
    "tape: model(x, training=True)",
    functional(),
    lambda m: in_tape(m, training=True),
)
keras_row("tf.function: model(x)", functional(), lambda m: tf.function(m)(x))
keras_row(
    "tf.function: training=True",
    functional(),
    lambda m: tf.function(m)(x, training=True),
)
print()
keras_row("fit: class without training", compiled(WithoutTraining()), fit)
keras_row("fit: class not passing it on", compiled(NotPassedOn()), fit)
inputs = keras.Input(shape=(4,))
wrapped = compiled(keras.Model(inputs, PlainLayer()(inputs)))
keras_row("fit: Layer without training", wrapped, fit)
fixed = functional(training=False)
keras_row("model(x): bn(x, training=False)", fixed, lambda m: m(x))
keras_row("fit: bn(x, training=False)", fixed, fit)
keras_row("fit: bn.trainable = False", functional(trainable=False), fit)
print()
functional().export("exported", verbose=False)
served = tf.saved_model.load("exported")
report("exported: serve(x)", served.variables, lambda: served.serve(x))
# --8<-- [end:table]

# --8<-- [start:omitted]
model = functional()
np.testing.assert_array_equal(model(x), model(x, training=False))
print("model(x) is model(x, training=False)")
# --8<-- [end:omitted]


# --8<-- [start:loop]
def array(model, name):
    return next(v for v in model.weights if v.name == name).numpy()


def statistics(model):
    at_0 = np.all(array(model, "moving_mean") == 0)
    at_1 = np.all(array(model, "moving_variance") == 1)
    return "never moved" if at_0 and at_1 else "moved"


def beta_trained(model):
    return np.any(array(model, "beta") != 0)


def train(model, **arguments):
    for _ in range(10):
        with tf.GradientTape() as tape:
            loss = mean_of_outputs(y, model(x, **arguments))
        gradients = tape.gradient(loss, model.trainable_variables)
        model.optimizer.apply_gradients(
            zip(gradients, model.trainable_variables)
        )


model = functional()
train(model)
print("beta trained:", beta_trained(model))
print("moving statistics:", statistics(model))
# --8<-- [end:loop]

# --8<-- [start:loop_right]
model = functional()
train(model, training=True)
print("moving statistics:", statistics(model))
# --8<-- [end:loop_right]

# --8<-- [start:without]
for model_class in [WithoutTraining, NotPassedOn]:
    model = compiled(model_class())
    fit(model)
    print(
        f"{model_class.__name__:15}  beta trained: {beta_trained(model)}, "
        f"moving statistics: {statistics(model)}"
    )
# --8<-- [end:without]

# --8<-- [start:overridden]
model = functional(training=False)
(node,) = model.get_config()["layers"][-1]["inbound_nodes"]
print("arguments in the model's config:", node["kwargs"])
fit(model)
print("after fit, the statistics have", statistics(model))

model = functional(training=False)
model(x)
print("after model(x), they have", statistics(model))
model(x, training=True)
print("after model(x, training=True), they have", statistics(model))
# --8<-- [end:overridden]

# --8<-- [start:kept_frozen]
from bn_tools import batch_norms

for trainable in [True, False]:
    model = functional()
    for layer in batch_norms(model):
        layer.trainable = trainable
    model.compile(optimizer="sgd", loss=mean_of_outputs)
    fit(model)
    print(f"trainable = {trainable}: {statistics(model)}")
# --8<-- [end:kept_frozen]


# --8<-- [start:kept_class]
class FixedStatistics(WithoutTraining):
    def call(self, x, training=False):
        return self.bn(x, training=False)


model = compiled(FixedStatistics())
fit(model)
print("after fit, the statistics have", statistics(model))
print("beta trained:", beta_trained(model))
# --8<-- [end:kept_class]


# --8<-- [start:not_compiled]
def moved_by_fit(model):
    before = model.get_weights()[-2:]
    model.fit(x, y, verbose=0)
    return not np.array_equal(before, model.get_weights()[-2:])


model = functional()
model.fit(x, y, verbose=0)

bn = model.layers[-1]
bn.trainable = False
print("fit moved the statistics:", moved_by_fit(model))
# --8<-- [end:not_compiled]

# --8<-- [start:compiled]
model.compile(optimizer="sgd", loss=mean_of_outputs)
print("fit moved the statistics:", moved_by_fit(model))

for trainable in [True, False]:
    bn.trainable = trainable
    before = bn.get_weights()
    equal = np.array_equal(bn(x, training=True), bn(x, training=False))
    moved = not all(map(np.array_equal, before, bn.get_weights()))
    print(f"trainable={trainable!s:5}  modes equal: {equal}  moved: {moved}")
# --8<-- [end:compiled]

# --8<-- [start:reported]
history = (
    functional()
    .fit(x, y, batch_size=1000, validation_data=(x, y), verbose=0)
    .history
)
print("loss is near 0:    ", abs(history["loss"][0]) < 0.5)
print("val_loss is near 0:", abs(history["val_loss"][0]) < 0.5)
# --8<-- [end:reported]

# --8<-- [start:forced]
forced = functional(training=True)
keras_row("model(x)", forced, lambda m: m(x))
keras_row("predict", forced, lambda m: m.predict(x, verbose=0))

forced.export("forced", verbose=False)
served = tf.saved_model.load("forced")
report("exported: serve(x)", served.variables, lambda: served.serve(x))

alone, in_batch = served.serve(x[:1])[0], served.serve(x)[0]
print("one row alone as in its batch:", np.allclose(alone, in_batch, atol=0.1))
# --8<-- [end:forced]

# --8<-- [start:unforced]
archive = keras.export.ExportArchive()
archive.track(forced)
archive.add_endpoint(
    "serve",
    lambda x: forced(x, training=False),
    input_signature=[keras.InputSpec(shape=(None, 4), dtype="float32")],
)
archive.write_out("inference", verbose=False)

served = tf.saved_model.load("inference")
report("exported: serve(x)", served.variables, lambda: served.serve(x))
alone, in_batch = served.serve(x[:1])[0], served.serve(x)[0]
print("one row alone as in its batch:", np.allclose(alone, in_batch, atol=1e-5))
# --8<-- [end:unforced]

# --8<-- [start:stateless]
model = functional()
outputs, new_values = model.stateless_call(
    model.trainable_variables,
    model.non_trainable_variables,
    x,
    training=True,
)
print("after the call:", statistics(model))

for variable, value in zip(model.non_trainable_variables, new_values):
    variable.assign(value)
print("after assign:", statistics(model))
# --8<-- [end:stateless]
