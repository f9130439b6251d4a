# --8<-- [start:model]
import keras
import numpy as np
import tensorflow as tf
from bn_tools import batch_norms


@keras.saving.register_keras_serializable(package="demo")
class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.bn = keras.layers.BatchNormalization(name="bn")
        self.dense = keras.layers.Dense(16, activation="relu")
        self.out = keras.layers.Dense(3, activation="softmax", dtype="float32")

    def call(self, x, training=False):
        x = self.bn(x, training=training)
        return self.out(self.dense(x))


# --8<-- [end:model]


# --8<-- [start:check]
class StatisticsMove(keras.callbacks.Callback):
    """Raise after an epoch in which the statistics of a layer did not move.

    Args:
        fixed: Layers or models whose statistics are meant to stay. Frozen
            layers need not be named.
    """

    def __init__(self, fixed=()):
        super().__init__()
        self.fixed = fixed

    def on_train_begin(self, logs=None):
        self.start = {
            id(array): array.numpy()
            for array in self.model.variables
            if array.name in ("moving_mean", "moving_variance")
        }

    def stands_still(self, layer):
        mean = self.start.get(id(layer.moving_mean), 0.0)
        variance = self.start.get(id(layer.moving_variance), 1.0)
        return np.all(layer.moving_mean.numpy() == mean) and np.all(
            layer.moving_variance.numpy() == variance
        )

    def on_epoch_end(self, epoch, logs=None):
        fixed = {id(bn) for part in self.fixed for bn in batch_norms(part)}
        still = [
            layer.moving_mean.path.rpartition("/")[0]
            for layer in batch_norms(self.model)
            if layer.trainable and id(layer) not in fixed
            if self.stands_still(layer)
        ]
        if still:
            raise RuntimeError(f"statistics did not move: {still}")


# --8<-- [end:check]

# --8<-- [start:data]
keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(1000, 4)).astype("float32")
y = np.argmax(x[:, :3], axis=1)


def statistics(model):
    layers = batch_norms(model)
    return [
        (bn.moving_mean.numpy(), bn.moving_variance.numpy()) for bn in layers
    ]


def fit(model, rows=100, **settings):
    eager = rows < 1000  # faster for a few steps
    model.compile(
        keras.optimizers.SGD(0.1),
        "sparse_categorical_crossentropy",
        run_eagerly=eager,
    )
    return model.fit(x[:rows], y[:rows], batch_size=50, verbose=0, **settings)


# --8<-- [end:data]

# --8<-- [start:fit]
model = Net()
fit(model, rows=1000, epochs=20, callbacks=[StatisticsMove()])
mean, variance = statistics(model)[0]
print("moving_mean is near 5:    ", np.allclose(mean, 5, atol=0.5))
print("moving_variance is near 9:", np.allclose(variance, 9, atol=1.5))
# --8<-- [end:fit]

# --8<-- [start:modes]
model.evaluate(x, y, verbose=0)
predictions = model.predict(x, verbose=0)
np.testing.assert_array_equal(statistics(model)[0], [mean, variance])
np.testing.assert_allclose(
    model(x, training=False), predictions, rtol=0, atol=1e-5
)
print("evaluate and predict left the statistics as they were")
# --8<-- [end:modes]

# --8<-- [start:save]
from bn_tools import write_record

model.save("net.keras")
write_record("net.npz", model, x[:32])
# --8<-- [end:save]

# --8<-- [start:reload]
from bn_tools import compare

other = Net()
other(np.zeros((1, 4)))
print("an untrained one differs:", len(compare("net.npz", other)) > 0)
loaded = keras.saving.load_model("net.keras")
print("the loaded one differs:  ", compare("net.npz", loaded))
# --8<-- [end:reload]


# --8<-- [start:own_loss]
class OwnLoss(Net):
    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        if training:  # not in validation: penalize predictions near 0 and 1
            loss += 0.3 * keras.ops.mean(keras.ops.square(y_pred))
        return loss


# --8<-- [end:own_loss]

# --8<-- [start:added]
net = OwnLoss()
net.compile(loss="sparse_categorical_crossentropy")
outputs = net(x[:50])
training, validation = (
    net.compute_loss(x[:50], y[:50], outputs, None, training=training)
    for training in [True, False]
)
added = np.isclose(training - validation, 0.3 * np.mean(outputs**2))
keras_loss = keras.losses.SparseCategoricalCrossentropy()(y[:50], outputs)
print("added in training:", added)
print("validation has the loss of compile:", np.isclose(validation, keras_loss))
# --8<-- [end:added]


# --8<-- [start:own_step]
class OwnStep:
    """A train_step and a test_step that do what those of Keras do.

    Name it before the model class: class MyNet(OwnStep, keras.Model).
    """

    def train_step(self, data):
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            outputs = self(x, training=True)
            loss = self.compute_loss(x, y, outputs, weight, training=True)
            scaled = self.optimizer.scale_loss(loss)
        arrays = self.trainable_variables
        gradients = tape.gradient(scaled, arrays)
        self.optimizer.apply(gradients, arrays)
        return self.report(x, y, outputs, weight, loss)

    def test_step(self, data):
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        outputs = self(x, training=False)
        loss = self.compute_loss(x, y, outputs, weight, training=False)
        return self.report(x, y, outputs, weight, loss)

    def report(self, x, y, outputs, weight, loss):
        if tf.distribute.get_strategy().num_replicas_in_sync > 1:
            raise NotImplementedError("one device only: loss is a share here")
        rows = tf.shape(tf.nest.flatten(x)[0])[0]
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss, sample_weight=rows)
        return self.compute_metrics(x, y, outputs, weight)


# --8<-- [end:own_step]


# --8<-- [start:same]
class OwnBoth(OwnStep, OwnLoss):
    pass


some = x[:52], y[:52], np.random.uniform(size=52)


def results(kind):
    keras.utils.set_random_seed(1)
    net = kind()
    net.compile(
        keras.optimizers.SGD(0.1),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        weighted_metrics=["accuracy"],
        run_eagerly=True,
    )
    rows = tf.data.Dataset.from_tensor_slices(some).batch(48)  # the last has 4
    run = net.fit(rows, epochs=2, verbose=0, validation_data=rows)
    return run.history, net.get_weights()


for policy in ["float32", "mixed_float16"]:
    keras.config.set_dtype_policy(policy)
    history, arrays = results(OwnLoss)
    own_history, own_arrays = results(OwnBoth)
    same = [np.allclose(history[k], own_history[k], atol=1e-4) for k in history]
    pairs = zip(arrays, own_arrays, strict=True)
    same += [np.allclose(*pair, atol=1e-3) for pair in pairs]
    print(f"{policy}: {sum(same)} of {len(same)} equal")
print(f"compared: {len(arrays)} arrays and", *history, sep="\n  ")
keras.config.set_dtype_policy("float32")
# --8<-- [end:same]


# --8<-- [start:without]
import warnings


class WithoutTraining(Net):
    def call(self, x):
        return self.out(self.dense(self.bn(x)))


print("                 gamma, beta  mean, variance  warnings")
for kind in [WithoutTraining, Net]:
    net = kind()
    with warnings.catch_warnings(record=True, action="always") as caught:
        fit(net)
    learned = np.any(net.bn.gamma != 1) and np.any(net.bn.beta != 0)
    mean, variance = statistics(net)[0]
    moved = np.any(mean != 0) and np.any(variance != 1)
    print(
        f"{kind.__name__:15}  {'learned' if learned else '1, 0':11}  "
        f"{'moved' if moved else '0, 1':14}  {len(caught)}"
    )
# --8<-- [end:without]


# --8<-- [start:raises]
class Outer(keras.Model):
    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
        self.inner = keras.Sequential([inner], name="inner")

    def call(self, x):
        return self.inner(x)


class OuterWithTraining(Outer):
    def call(self, x, training=False):
        return self.inner(x, training=training)


def outcome(model, fixed=()):
    try:
        fit(model, callbacks=[StatisticsMove(fixed)])
    except RuntimeError as error:
        return f"RuntimeError: {error}"
    return "no error"


print(outcome(Outer(Net(name="net"), name="outer")))
print(outcome(OuterWithTraining(Net(name="net"), name="outer")))
# --8<-- [end:raises]


# --8<-- [start:fixed]
class WithHead(keras.Model):
    def __init__(self, base):
        super().__init__()
        self.base = base
        self.head = keras.layers.Dense(3, activation="softmax")

    def call(self, x):
        return self.head(self.base(x, training=False))


bn = keras.layers.BatchNormalization(name="bn")
base = keras.Sequential([keras.Input(shape=(4,)), bn], name="base")

print("not named:", outcome(WithHead(base)))
print("named:    ", outcome(WithHead(base), fixed=[base]))
base.trainable = False
print("frozen:   ", outcome(WithHead(base)))
# --8<-- [end:fixed]


# --8<-- [start:signatures]
class Keywords(Net):
    def call(self, x, **kwargs):
        return self.out(self.dense(self.bn(x, **kwargs)))


class NotPassedOn(Net):
    def call(self, x, training=False):
        return self.out(self.dense(self.bn(x)))


class Block(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.bn = keras.layers.BatchNormalization()

    def build(self, input_shape):
        self.bn.build(input_shape)

    def call(self, x):
        return self.bn(x)


class ForgetfulStep(OwnStep, Net):
    def train_step(self, data):
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            outputs = self(x)
            loss = self.compute_loss(x, y, outputs, weight)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return self.report(x, y, outputs, weight, loss)


class OwnNet(OwnStep, Net):
    pass


def row(what, model):
    moves = outcome(model) == "no error"
    print(f"{what:38} {'yes' if moves else 'no'}")


inputs = keras.Input(shape=(4,))
head = keras.layers.Dense(3, activation="softmax")
functional = keras.Model(inputs, head(Block()(inputs)))

print(f"{'what fit trains':38} statistics move")
row("call(self, x, **kwargs)", Keywords())
row("training taken and not passed on", NotPassedOn())
row("Layer: call(self, x), functional model", functional)
row("train_step: self(x)", ForgetfulStep())
row("train_step: self(x, training=True)", OwnNet())
# --8<-- [end:signatures]


# --8<-- [start:zero]
class ReturnsLoss(Net):
    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return {"loss": loss}


for kind in [ReturnsLoss, OwnNet]:
    stop = keras.callbacks.EarlyStopping(monitor="loss", patience=1)
    losses = fit(kind(), epochs=4, callbacks=[stop]).history["loss"]
    print(f"{kind.__name__:11}  epochs: {len(losses)}", end="  ")
    print("loss is 0:", not np.any(losses), " falls:", losses[-1] < losses[0])
# --8<-- [end:zero]


# --8<-- [start:leaky]
class LeakyTest(OwnStep, Net):
    def test_step(self, data):
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        outputs = self(x, training=True)
        loss = self.compute_loss(x, y, outputs, weight)
        return self.report(x, y, outputs, weight, loss)


def as_trained(network):
    network(x[:1], training=False)
    network.set_weights(model.get_weights())
    loss = "sparse_categorical_crossentropy"
    network.compile(loss=loss, run_eagerly=True)
    return network


def changed(network):
    return not np.array_equal(statistics(network), statistics(model))


for network in [as_trained(LeakyTest()), as_trained(OwnNet())]:
    # Validation data of another kind:
    network.evaluate(x - 5, y, 100, verbose=0)
    difference = network(x, training=False) - predictions
    print(
        f"{type(network).__name__:9}  statistics changed: {changed(network)}  "
        f"predictions too: {np.max(np.abs(difference)) > 0.02}"
    )
# --8<-- [end:leaky]


# --8<-- [start:always_true]
class HardCoded(Net):
    def call(self, x, training=False):
        x = self.bn(x, training=True)
        return self.out(self.dense(x))


class DefaultTrue(Net):
    def call(self, x, training=True):
        x = self.bn(x, training=training)
        return self.out(self.dense(x))


def same(one, other):
    return str(np.allclose(one, other, atol=1e-5))


def yes(network):
    return "yes" if changed(network) else "no"


print("             alone as in a batch   statistics changed by")
print("             predict    export     predict    model(x)")
for kind in [HardCoded, DefaultTrue, Net]:
    network = as_trained(kind())
    alone = network.predict(x[:4], batch_size=1, verbose=0)
    in_batch = network.predict(x[:4], batch_size=4, verbose=0)
    by_predict = yes(network)
    network = as_trained(kind())
    network(x)
    by_call = yes(network)
    network.export("exported", verbose=False)
    exported = tf.saved_model.load("exported")
    served = same(exported.serve(x[:1]), exported.serve(x)[:1])
    print(
        f"{kind.__name__:11}  {same(alone, in_batch):9}  {served:9}  "
        f"{by_predict:9}  {by_call}"
    )
# --8<-- [end:always_true]
