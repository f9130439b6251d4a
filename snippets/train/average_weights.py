# --8<-- [start:save_averages]
import os

import keras
import numpy as np
from bn_tools import batch_norms, estimate_again


class SaveAverages(keras.callbacks.Callback):
    """Saves averaged weights, and statistics for them, after each epoch.

    The model itself is then as it was before. Estimated are the layers whose
    statistics have moved in the epoch.

    Args:
        path: Of the .keras file, such as ``"averages-{epoch}.keras"``, in a
            folder that exists.
        batches: Training inputs in batches, read after each epoch: a list, or a
            dataset that ends. Not the one that ``fit`` reads, if it is
            shuffled: its next epoch would come in another order.
    """

    def __init__(self, path, batches):
        super().__init__()
        self.path, self.batches = os.fspath(path), batches
        if not self.path.endswith(".keras"):
            raise ValueError(f"{path} does not end in .keras")
        if iter(batches) is batches:
            raise ValueError(
                "a generator is empty after one epoch: pass a list"
            )
        if hasattr(batches, "shape"):
            raise ValueError("batches is one array: pass [array], or a list")
        if hasattr(batches, "cardinality") and int(batches.cardinality()) == -1:
            raise ValueError("batches never ends: pass dataset.take(steps)")

    def on_train_begin(self, logs=None):
        optimizer = self.model.optimizer
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        if not getattr(inner, "use_ema", False):
            raise ValueError("the optimizer does not average: use_ema=True")
        if not os.path.isdir(os.path.dirname(self.path) or "."):
            raise ValueError(f"the folder of {self.path} does not exist")

    def on_epoch_begin(self, epoch, logs=None):
        names = ["moving_mean", "moving_variance"]
        found = [v for v in self.model.variables if v.name in names]
        self.were = {id(v): v.numpy() for v in found}

    def moved(self, variable, start):
        # A model that fit builds has had no arrays: they start at 0 and 1.
        return np.any(variable.numpy() != self.were.get(id(variable), start))

    def on_epoch_end(self, epoch, logs=None):
        model = self.model
        before = [(v, v.numpy()) for v in model.variables]
        moved = [
            layer
            for layer in batch_norms(model)
            if self.moved(layer.moving_mean, 0)
            or self.moved(layer.moving_variance, 1)
        ]
        try:
            model.optimizer.finalize_variable_values(model.trainable_variables)
            if moved:
                estimate_again(model, self.batches, moved)
            path = self.path.format(epoch=epoch + 1, **(logs or {}))
            new = path.removesuffix(".keras") + ".new.keras"
            model.save(new)
            os.replace(new, path)  # all of the file or nothing
        finally:
            for variable, array in before:
                variable.assign(array)


# --8<-- [end:save_averages]

# --8<-- [start:model]
import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(0)
x, y = load_digits(return_X_y=True)
x = (x / 16).astype("float32")
x, x_test, y, y_test = train_test_split(
    x, y, train_size=1344, stratify=y, random_state=0
)
batches = np.array_split(x, 2)


def build():
    model = keras.Sequential([keras.Input(shape=(64,))])
    for _ in range(3):
        model.add(keras.layers.Dense(64, use_bias=False))
        model.add(keras.layers.BatchNormalization(momentum=0.9))
        model.add(keras.layers.ReLU())
    model.add(keras.layers.Dense(10))
    return model


def accuracy(net):
    return np.mean(np.argmax(net(x_test, training=False), axis=1) == y_test)


loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
start = build().get_weights()
# --8<-- [end:model]


# --8<-- [start:harm]
model = build()
optimizer = keras.optimizers.SGD(use_ema=True, ema_momentum=0.99)
model.compile(optimizer, loss, metrics=["accuracy"])
optimizer.build(model.trainable_variables)  # so one trace, not two


def run(rate, passes):
    model.set_weights(start)
    optimizer.learning_rate = rate
    optimizer.iterations.assign(0)  # and a new average begins
    rows = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(1344, seed=0)
    history = model.fit(
        rows.repeat(passes).batch(32),
        shuffle=False,
        validation_data=(x_test, y_test),
        callbacks=[
            keras.callbacks.SwapEMAWeights(),  # averages, for the validation
            SaveAverages("averages.keras", batches),
            keras.callbacks.ModelCheckpoint("trained.keras"),
        ],
        verbose=0,
    )
    return history.history["val_accuracy"][0]


print("above 0.8         trained val     model   file    as trained")
for rate, passes in [(0.1, 4), (0.1, 1), (1.5, 2)]:
    validated = run(rate, passes)
    trained = accuracy(keras.saving.load_model("trained.keras"))
    file = accuracy(keras.saving.load_model("averages.keras"))
    found = [f > 0.8 for f in [trained, validated, accuracy(model), file]]
    share = 0.99 ** int(optimizer.iterations.numpy())
    print(
        f"{rate}  {passes:6}   {share:3.0%}  ",
        *(f"{each!s:7}" for each in found),
        file > trained - 0.05,
    )
# --8<-- [end:harm]

# --8<-- [start:save]
from bn_tools import write_record

estimate_again(model, batches)
write_record("averages.npz", model, x_test[:32])
# --8<-- [end:save]

# --8<-- [start:reload]
import keras
from bn_tools import compare

for file in ["averages.keras", "trained.keras"]:
    print(file, compare("averages.npz", keras.saving.load_model(file))[:1])
# --8<-- [end:reload]
