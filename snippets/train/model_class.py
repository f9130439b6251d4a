# --8<-- [start:model]
import keras
import numpy as np
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
    """Raise after an epoch if the statistics of a layer are those of the start.

    They are looked at after the first batch as well: in the same order, an
    epoch of a run that goes on may end where it began. In the list of
    callbacks, it stands after one that restores the model.

    Args:
        fixed: A list of layers or models whose statistics are meant to stay.
            Frozen layers need not be named.
    """

    def __init__(self, fixed=()):
        super().__init__()
        self.fixed = list(fixed)

    def on_train_begin(self, logs=None):
        self.start = {
            id(array): array.numpy()
            for array in self.model.variables
            if array.name in ("moving_mean", "moving_variance")
        }
        self.moved = None

    def stands_still(self, layer):
        mean = self.start.get(id(layer.moving_mean), 0.0)
        variance = self.start.get(id(layer.moving_variance), 1.0)
        return np.all(layer.moving_mean.numpy() == mean) and np.all(
            layer.moving_variance.numpy() == variance
        )

    def on_train_batch_end(self, batch, logs=None):
        if self.moved is None:
            layers = batch_norms(self.model)
            self.moved = {id(bn) for bn in layers if not self.stands_still(bn)}

    def on_epoch_end(self, epoch, logs=None):
        fixed = {id(bn) for part in self.fixed for bn in batch_norms(part)}
        fixed |= self.moved or set()
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
    model.compile(
        keras.optimizers.SGD(0.1),
        "sparse_categorical_crossentropy",
        run_eagerly=rows < 1000,  # faster for a few steps
    )
    model.fit(x[:rows], y[:rows], batch_size=50, verbose=0, **settings)


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


# --8<-- [start:raises]
class WithoutTraining(Net):
    def call(self, x):
        return self.out(self.dense(self.bn(x)))


class WithHead(keras.Model):
    def __init__(self, base):
        super().__init__()
        self.base = base
        self.head = keras.layers.Dense(3, activation="softmax")

    def call(self, x):
        return self.head(self.base(x, training=False))


def outcome(model, fixed=()):
    try:
        fit(model, callbacks=[StatisticsMove(fixed)])
    except RuntimeError as error:
        return f"RuntimeError: {error}"
    return "no error"


bn = keras.layers.BatchNormalization(name="bn")
base = keras.Sequential([keras.Input(shape=(4,)), bn], name="base")

print("call(self, x):", outcome(WithoutTraining(name="net")))
print("not named:    ", outcome(WithHead(base)))
print("named:        ", outcome(WithHead(base), fixed=[base]))
base.trainable = False
print("frozen:       ", outcome(WithHead(base)))
# --8<-- [end:raises]

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
