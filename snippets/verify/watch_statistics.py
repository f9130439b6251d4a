# --8<-- [start:watch]
import keras
import numpy as np
from bn_tools import batch_norms, estimate_again


class WatchStatistics(keras.callbacks.Callback):
    """Add to the logs of each epoch how far the moving statistics have come.

    Two values for each BatchNormalization layer, by its path: "moved", against
    the moving statistics before the epoch, and "gap", against those of the
    batches. 0.1 says that in some channel the mean is off by a tenth of the
    standard deviation, or the standard deviation by a tenth. In the list of
    callbacks, it stands before those that read the logs.

    Args:
        batches: As for ``estimate_again``: ``[x[:1000]]``, for example. They
            are read after each epoch, so a generator will not do. Without them,
            there is no "gap".
    """

    def __init__(self, batches=None):
        super().__init__()
        self.batches = batches

    def statistics(self):
        return [
            (
                bn.moving_mean.numpy(),
                np.sqrt(bn.moving_variance.numpy() + bn.epsilon),
            )
            for bn in batch_norms(self.model)
        ]

    def of_the_batches(self):
        layers = batch_norms(self.model)
        arrays = [
            a for bn in layers for a in (bn.moving_mean, bn.moving_variance)
        ]
        own = [array.numpy() for array in arrays]
        try:
            estimate_again(self.model, self.batches, layers)
            return self.statistics()
        finally:  # the model is left as it was
            for array, value in zip(arrays, own, strict=True):
                array.assign(value)

    def add(self, logs, what, now, other):
        layers = batch_norms(self.model)
        paths = [bn.moving_mean.path.rpartition("/")[0] for bn in layers]
        for i, path in enumerate(paths):
            (mean, deviation), (mean_2, deviation_2) = now[i], other[i]
            if paths.count(path) > 1:
                path = f"{path}, layer {i}"
            shift = np.max(np.abs(mean_2 - mean) / deviation)
            scale = np.max(np.abs(deviation_2 / deviation - 1))
            logs[f"{path} {what}"] = float(max(shift, scale))

    def on_epoch_begin(self, epoch, logs=None):
        self.before = self.statistics()

    def on_epoch_end(self, epoch, logs=None):
        now = self.statistics()
        self.add(logs, "moved", now, self.before)
        if self.batches is not None:
            self.add(logs, "gap", now, self.of_the_batches())


# --8<-- [end:watch]

# --8<-- [start:data]
keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(1000, 4)).astype("float32")
y = x[:, :1]


def build(momentum=0.99):
    keras.utils.set_random_seed(0)
    bn = {"momentum": momentum}
    model = keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.BatchNormalization(**bn, name="bn1"),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.BatchNormalization(**bn, name="bn2"),
            keras.layers.Dense(1),
        ],
        name="net",
    )
    model.compile(optimizer="sgd", loss="mse")
    return model


# --8<-- [end:data]

# --8<-- [start:fit]
model = build()
history = model.fit(
    x,
    y,
    epochs=30,
    verbose=0,
    callbacks=[
        WatchStatistics(batches=[x]),
        keras.callbacks.CSVLogger("watched.csv"),
    ],
)
# --8<-- [end:fit]

# --8<-- [start:csv]
import csv

with open("watched.csv", newline="") as file:
    rows = list(csv.DictReader(file))
for row in [rows[0], rows[9], rows[29]]:
    moved, gap = float(row["net/bn1 moved"]), float(row["net/bn1 gap"])
    print(
        f"epoch {int(row['epoch']) + 1:2}  bn1 moved {moved:.1f}, gap {gap:.1f}"
    )
print(*[key for key in history.history])
# --8<-- [end:csv]

# --8<-- [start:momentum]
for momentum in [0.9, 0.99, 0.999]:
    model = build(momentum)
    watch = WatchStatistics([x])
    logs = model.fit(x, y, epochs=10, verbose=0, callbacks=[watch]).history
    moved, gap = logs["net/bn1 moved"][-1], logs["net/bn1 gap"][-1]
    print(f"momentum {momentum:5}  bn1 moved {moved:.1f}, gap {gap:.1f}")

model = build()
model.get_layer("bn1").trainable = False
model.compile(optimizer="sgd", loss="mse")
logs = model.fit(x, y, verbose=0, callbacks=[WatchStatistics([x])]).history
moved, gap = logs["net/bn1 moved"][-1], logs["net/bn1 gap"][-1]
print(f"frozen          bn1 moved {moved:.1f}, gap {gap:.1f}")
# --8<-- [end:momentum]

# --8<-- [start:kept]
arrays = []
for callbacks in [[], [WatchStatistics([x])]]:
    model = build()
    model.fit(x, y, epochs=3, verbose=0, callbacks=callbacks)
    arrays.append(model.get_weights())
print("trained to the same arrays:", all(map(np.array_equal, *arrays)))
# --8<-- [end:kept]

# --8<-- [start:tensorboard]
model = build()
model.fit(
    x,
    y,
    epochs=30,
    callbacks=[
        WatchStatistics(batches=[x]),
        keras.callbacks.TensorBoard("logs", histogram_freq=1),
    ],
)
# --8<-- [end:tensorboard]
