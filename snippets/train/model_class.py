# --8<-- [start:model]
import keras
import numpy as np
import tensorflow as tf


@keras.saving.register_keras_serializable(package="demo")
class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.bn = keras.layers.BatchNormalization(name="bn")
        self.dense = keras.layers.Dense(16, activation="relu")
        self.out = keras.layers.Dense(3, activation="softmax")

    def call(self, x, training=False):
        x = self.bn(x, training=training)
        return self.out(self.dense(x))


# --8<-- [end:model]

# --8<-- [start:data]
keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(1000, 4)).astype("float32")
y = np.argmax(x[:, :3], axis=1)
# --8<-- [end:data]


# --8<-- [start:check]
class StatisticsMove(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        never_moved = [
            array.path
            for array in self.model.variables
            if array.name == "moving_variance" and np.all(array.numpy() == 1)
        ]
        if never_moved:
            raise RuntimeError(f"never moved: {never_moved}")


# --8<-- [end:check]

# --8<-- [start:fit]
model = Net()
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
model.fit(
    x, y, batch_size=20, epochs=10, verbose=0, callbacks=[StatisticsMove()]
)


def statistics(model):
    arrays = (v for v in model.variables if v.name.startswith("moving_"))
    return [array.numpy() for array in arrays]


mean, variance = statistics(model)
print("moving_mean is near 5:    ", np.allclose(mean, 5, atol=0.5))
print("moving_variance is near 9:", np.allclose(variance, 9, atol=1.5))
# --8<-- [end:fit]

# --8<-- [start:modes]
model.evaluate(x, y, verbose=0)
predictions = model.predict(x, verbose=0)
np.testing.assert_array_equal(statistics(model), [mean, variance])
np.testing.assert_allclose(
    model(x, training=False), predictions, rtol=0, atol=1e-5
)
print("evaluate and predict left the statistics as they were")
# --8<-- [end:modes]

# --8<-- [start:save]
model.save("net.keras")
np.savez("expected.npz", *model.get_weights(), x=x, predictions=predictions)
# --8<-- [end:save]

# --8<-- [start:reload]
loaded = keras.saving.load_model("net.keras")
expected = np.load("expected.npz")

for i, array in enumerate(loaded.get_weights()):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
np.testing.assert_array_equal(
    loaded.predict(expected["x"], verbose=0), expected["predictions"]
)
print("moving_mean is 0:    ", np.all(loaded.bn.moving_mean.numpy() == 0))
print("moving_variance is 1:", np.all(loaded.bn.moving_variance.numpy() == 1))
print("8 arrays and 1000 predictions equal")
# --8<-- [end:reload]

# --8<-- [start:without]
import warnings


class WithoutTraining(Net):
    def call(self, x):
        return self.out(self.dense(self.bn(x)))


def fit(model):
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    model.fit(x, y, batch_size=50, verbose=0)
    return model


with warnings.catch_warnings(record=True, action="always") as caught:
    forgetful = fit(WithoutTraining())
print("gamma is 1:          ", np.all(forgetful.bn.gamma.numpy() == 1))
print("beta is 0:           ", np.all(forgetful.bn.beta.numpy() == 0))
print("moving_mean is 0:    ", np.all(forgetful.bn.moving_mean.numpy() == 0))
print(
    "moving_variance is 1:", np.all(forgetful.bn.moving_variance.numpy() == 1)
)
print("warnings:", len(caught))
# --8<-- [end:without]


# --8<-- [start:raises]
class Outer(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.net = keras.Sequential([Net(name="net")], name="inner")

    def call(self, x):
        return self.net(x)


outer = Outer(name="outer")
outer.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
try:
    outer.fit(x, y, batch_size=50, verbose=0, callbacks=[StatisticsMove()])
except RuntimeError as error:
    print("RuntimeError:", error)
# --8<-- [end:raises]


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


def row(what, model):
    moved = np.all([array != 1 for array in statistics(model)[1::2]])
    print(f"{what:40} {'yes' if moved else 'no'}")


inputs = keras.Input(shape=(4,))
functional = keras.Model(inputs, keras.layers.Dense(3)(Block()(inputs)))

print(f"{'what fit trains':40} statistics move")
row("call(self, x, training=False)", model)
row("call(self, x)", forgetful)
row("call(self, x, **kwargs)", fit(Keywords()))
row("training taken and not passed on", fit(NotPassedOn()))
row("Layer: call(self, x), functional model", fit(functional))
# --8<-- [end:signatures]


# --8<-- [start:own_step]
class OwnStep(Net):
    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            outputs = self(x, training=True)
            loss = self.compute_loss(x, y, outputs)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return {"loss": loss}


row("train_step: self(x, training=True)", fit(OwnStep()))
# --8<-- [end:own_step]


# --8<-- [start:forgetful_step]
class ForgetfulStep(Net):
    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            outputs = self(x)
            loss = self.compute_loss(x, y, outputs)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return {"loss": loss}


row("train_step: self(x)", fit(ForgetfulStep()))
# --8<-- [end:forgetful_step]


# --8<-- [start:leaky]
class LeakyTest(Net):
    def test_step(self, data):
        x, y = data
        outputs = self(x, training=True)
        return {"loss": self.compute_loss(x, y, outputs)}


class OwnTest(Net):
    def test_step(self, data):
        x, y = data
        outputs = self(x, training=False)
        return {"loss": self.compute_loss(x, y, outputs)}


def as_trained(network):
    network(x[:1], training=False)
    network.set_weights(model.get_weights())
    network.compile(loss="sparse_categorical_crossentropy")
    return network


def changed(network):
    return not np.array_equal(statistics(network), statistics(model))


for network in [as_trained(LeakyTest()), as_trained(OwnTest())]:
    network.evaluate(x - 5, y, verbose=0)  # validation data of another kind
    difference = network(x, training=False) - predictions
    print(
        f"{type(network).__name__:9}  statistics changed: {changed(network)}  "
        f"predictions too: {np.max(np.abs(difference)) > 0.1}"
    )
# --8<-- [end:leaky]


# --8<-- [start:hard_coded]
class HardCoded(Net):
    def call(self, x, training=False):
        x = self.bn(x, training=True)
        return self.out(self.dense(x))


def compare(network):
    alone = network.predict(x[:100], batch_size=1, verbose=0)
    in_batch = network.predict(x[:100], batch_size=100, verbose=0)
    print("alone as in a batch: ", np.allclose(alone, in_batch, atol=1e-5))
    print("alone, all the same: ", np.allclose(alone, alone[0], atol=1e-5))
    print("predict changed them:", changed(network))


compare(as_trained(HardCoded()))
# --8<-- [end:hard_coded]

# --8<-- [start:hard_coded_right]
compare(as_trained(Net()))
# --8<-- [end:hard_coded_right]


# --8<-- [start:default_true]
class DefaultTrue(Net):
    def call(self, x, training=True):
        x = self.bn(x, training=training)
        return self.out(self.dense(x))


def export(network):
    network.export("exported", verbose=False)
    served = tf.saved_model.load("exported")
    alone, in_batch = served.serve(x[:1]), served.serve(x)[:1]
    same = np.allclose(alone, in_batch, atol=1e-5)
    print("exported, alone as in a batch:", same)


network = as_trained(DefaultTrue())
network.predict(x, verbose=0)
print("predict changed them: ", changed(network))
network(x)
print("model(x) changed them:", changed(network))
export(network)
# --8<-- [end:default_true]

# --8<-- [start:default_false]
network = as_trained(Net())
network(x)
print("model(x) changed them:", changed(network))
export(network)
# --8<-- [end:default_false]


# --8<-- [start:gan]
class Counting(keras.layers.BatchNormalization):
    def build(self, input_shape):
        super().build(input_shape)
        self.updates = self.add_weight(initializer="zeros", trainable=False)

    def call(self, x, training=None, mask=None):
        if training:
            self.updates.assign_add(1)
        return super().call(x, training=training, mask=mask)


class Gan(keras.Model):
    def __init__(self, other):
        super().__init__()
        self.other = other  # mode of the model that is not being trained
        self.generator = keras.Sequential(
            [keras.Input((2,)), keras.layers.Dense(4), Counting(name="bn")]
        )
        self.discriminator = keras.Sequential(
            [keras.Input((4,)), Counting(name="bn"), keras.layers.Dense(1)]
        )
        self.adam_g = keras.optimizers.Adam()
        self.adam_d = keras.optimizers.Adam()

    def train_step(self, real):
        noise = keras.random.normal((50, 2))
        with tf.GradientTape() as tape:
            fake = self.generator(noise, training=self.other)
            scores = self.discriminator(
                tf.concat([real, fake], axis=0), training=True
            )
            loss = tf.reduce_mean(scores[50:]) - tf.reduce_mean(scores[:50])
        arrays = self.discriminator.trainable_variables
        self.adam_d.apply(tape.gradient(loss, arrays), arrays)

        with tf.GradientTape() as tape:
            fake = self.generator(noise, training=True)
            scores = self.discriminator(fake, training=self.other)
            loss = -tf.reduce_mean(scores)
        arrays = self.generator.trainable_variables
        self.adam_g.apply(tape.gradient(loss, arrays), arrays)
        return {"loss": loss}


def updates_in_one_step(gan):
    gan.compile(run_eagerly=True)  # one step is not worth tracing
    gan.fit(x[:50], batch_size=50, verbose=0)
    for net in [gan.generator, gan.discriminator]:
        yield int(net.get_layer("bn").updates)


print("both in training mode:  ", *updates_in_one_step(Gan(other=True)))
# --8<-- [end:gan]

# --8<-- [start:gan_right]
print("other in inference mode:", *updates_in_one_step(Gan(other=False)))
# --8<-- [end:gan_right]
