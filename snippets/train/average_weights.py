# --8<-- [start:save_averages]
import os

import keras
import numpy as np
from bn_tools import batch_norms, estimate_again


class SaveAverages(keras.callbacks.Callback):
    """Saves averaged weights, and statistics for them, after each epoch.

    The model itself is then as it was before. Estimated are the layers whose
    moving mean has moved in the epoch.

    Args:
        path: Of the .keras file, such as ``"averages-{epoch}.keras"``, in a
            folder that exists.
        batches: Training inputs in batches, read after each epoch: a list, or a
            dataset that ends.
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

    def on_train_begin(self, logs=None):
        optimizer = self.model.optimizer
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        if not inner.use_ema:
            raise ValueError("the optimizer does not average: use_ema=True")
        if not os.path.isdir(os.path.dirname(self.path) or "."):
            raise ValueError(f"the folder of {self.path} does not exist")

    def on_epoch_begin(self, epoch, logs=None):
        # A model that fit builds has no arrays yet: its means start at 0.
        means = [v for v in self.model.variables if v.name == "moving_mean"]
        self.means = {id(mean): mean.numpy() for mean in means}

    def on_epoch_end(self, epoch, logs=None):
        model = self.model
        before = [(v, v.numpy()) for v in model.variables]
        moved = [
            layer
            for layer in batch_norms(model)
            if np.any(
                layer.moving_mean.numpy()
                != self.means.get(id(layer.moving_mean), 0)
            )
        ]
        try:
            model.optimizer.finalize_variable_values(model.trainable_variables)
            if moved:
                estimate_again(model, self.batches, moved)
            model.save(self.path.format(epoch=epoch + 1, **(logs or {})))
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
    for _ in range(4):
        model.add(keras.layers.Dense(128, use_bias=False))
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
    share = 0.99 ** int(optimizer.iterations)
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


# --8<-- [start:small]
def small():
    layers = keras.layers
    inputs = keras.Input(shape=(4,))
    frozen = layers.BatchNormalization(name="frozen", trainable=False)
    outputs = layers.Dense(8)(frozen(inputs))
    outputs = layers.BatchNormalization(momentum=0.9, name="bn")(outputs)
    outputs = layers.Dense(1)(layers.ReLU()(outputs))
    net = keras.Model(inputs, outputs)
    net.compile(
        optimizer=keras.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.9),
        loss="mean_squared_error",
        run_eagerly=True,  # quicker for a dozen steps
    )
    return net


inputs = np.random.normal(5, 3, size=(64, 4)).astype("float32")
targets = inputs[:, :1] - inputs[:, 1:2]
beginning = small().get_weights()


def fit(net, *callbacks, epochs=3, **options):
    net.fit(
        inputs,
        targets,
        epochs=epochs,
        shuffle=False,
        callbacks=callbacks,
        verbose=0,
        **options,
    )
    return net


def run_small(*callbacks, **options):
    net = small()
    net.set_weights(beginning)
    return fit(net, *callbacks, **options)


# --8<-- [end:small]

# --8<-- [start:record]
known = {}


def contents(net):
    """Return trainable arrays, their averages, and moving statistics."""
    slots = net.optimizer.variables
    averages = [v.numpy() for v in slots if v.path.endswith("_average")]
    trained = [v.numpy() for v in net.trainable_variables]
    return trained, averages, net.get_layer("bn").get_weights()[2:]


class Record(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        trained, averages, statistics = contents(self.model)
        known[f"trained {epoch + 1}"] = trained
        known[f"averages {epoch + 1}"] = averages
        known[f"of trained {epoch + 1}"] = statistics
        if epoch == 1:
            self.model.save("two.keras")
            self.model.save("two.h5")
            self.model.save_weights("two.weights.h5")
            tf.train.Checkpoint(self.model).write("two")


def which(arrays):
    for name, others in known.items():
        # SwapEMAWeights swaps by adding and subtracting, which rounds.
        if len(arrays) == len(others) and all(
            np.allclose(a, b, atol=1e-4) for a, b in zip(arrays, others)
        ):
            return name
    return "none of these"


def show(case, net):
    print(f"{case:22}", *(f"{which(found):14}" for found in contents(net)))


fitted = run_small(Record())
from_weights, restored = small(), small()
for net in [from_weights, restored]:
    net.optimizer.build(net.trainable_variables)
from_weights.load_weights("two.weights.h5")
tf.train.Checkpoint(restored).read("two").assert_existing_objects_matched()
# --8<-- [end:record]

# --8<-- [start:formats]
load = keras.saving.load_model
print(f"{'':22} weights        in optimizer   statistics")
show("after fit", fitted)
show("two.keras", load("two.keras"))
show("two.weights.h5", from_weights)
show("checkpoint", restored)
show("two.h5", load("two.h5"))
# --8<-- [end:formats]

# --8<-- [start:from_file]
written = load("two.keras")
written.optimizer.finalize_variable_values(written.trainable_variables)
show("averages written", written)
estimate_again(written, [inputs])
known["of averages 2"] = contents(written)[2]
show("  and estimated", written)
# --8<-- [end:from_file]

# --8<-- [start:callbacks]
swap, save = keras.callbacks.SwapEMAWeights, keras.callbacks.ModelCheckpoint
file = "epoch-{epoch}.keras"
for case, callbacks in {
    "SaveAverages": [SaveAverages(file, [inputs])],
    "swap, save": [swap(), save(file)],
    "save, swap on epoch": [save(file), swap(swap_on_epoch=True)],
    "swap on epoch, save": [swap(swap_on_epoch=True), save(file)],
}.items():
    run_small(*callbacks)
    show(case, load("epoch-2.keras"))
# --8<-- [end:callbacks]


# --8<-- [start:early]
def stop(**options):
    # Nothing improves by that much, so it stops after the second epoch.
    return keras.callbacks.EarlyStopping(
        "loss", min_delta=1e6, patience=1, **options
    )


show("EarlyStopping", run_small(stop()))
show("restore_best_weights", run_small(stop(restore_best_weights=True)))
show("swap on epoch", run_small(swap(swap_on_epoch=True), stop()))
run_small(SaveAverages(file, [inputs]), stop(restore_best_weights=True))
show("file of SaveAverages", load("epoch-2.keras"))
frozen = load("epoch-2.keras").get_layer("frozen")
print("moving mean of the frozen layer:", np.unique(frozen.moving_mean))
# --8<-- [end:early]

# --8<-- [start:again]
run_small(save("before.keras"), swap(swap_on_epoch=True), epochs=2)
run_small(swap(swap_on_epoch=True), save("after.keras"), epochs=2)

for case, net in {
    "after two epochs": run_small(epochs=2),
    "file of SaveAverages": load("epoch-2.keras"),
    "swap on epoch, save": load("after.keras"),
    "save, swap on epoch": load("before.keras"),
    "two.keras": load("two.keras"),
}.items():
    show(case, fit(net, initial_epoch=2))
# --8<-- [end:again]


# --8<-- [start:average]
def average(models, batches):
    """Set the last of the models to the average of all, with statistics for it.

    Estimated are the layers whose moving mean differs between the models.

    Args:
        models: Models of the same structure, loaded from files.
        batches: Inputs in batches, as for ``estimate_again``.

    Returns:
        The last model.
    """
    last = models[-1]
    differ = [
        layer
        for layer, *others in zip(batch_norms(last), *map(batch_norms, models))
        if np.ptp([other.moving_mean.numpy() for other in others], axis=0).any()
    ]
    weights = [model.weights for model in models]  # of frozen layers, too
    for variable, *of_all in zip(weights[-1], *weights, strict=True):
        if "float" in variable.dtype:
            arrays = [v.numpy().astype("float64") for v in of_all]
            variable.assign(np.mean(arrays, axis=0))
    if differ:
        estimate_again(last, batches, differ)
    return last


# --8<-- [end:average]


# --8<-- [start:runs]
net = build()
net.compile(keras.optimizers.SGD(2.0), loss)
for seed in [0, 1, 2]:
    keras.utils.set_random_seed(seed)  # another order of the data
    net.set_weights(start)
    net.fit(x, y, epochs=3, verbose=0)
    net.save(f"run-{seed}.keras")

net.set_weights(start)
net.optimizer.learning_rate = 0.1
net.fit(x, y, epochs=4, callbacks=[save("swa-{epoch}.keras")], verbose=0)


def scores(files):
    models = [load(file) for file in files]
    yield min(map(accuracy, models))
    arrays = zip(*(model.get_weights() for model in models))
    means = [np.mean(each, axis=0) for each in arrays]
    last = models[-1].weights
    mixed = [m if w.trainable else w.numpy() for m, w in zip(means, last)]
    for weights in [mixed, means]:
        net.set_weights(weights)
        yield accuracy(net)
    yield accuracy(average(models, batches))


print("above 0.75          each   last   averaged  estimated")
for case, files in {
    "three runs": ["run-0.keras", "run-1.keras", "run-2.keras"],
    "epochs of one run": ["swa-2.keras", "swa-3.keras", "swa-4.keras"],
}.items():
    print(f"{case:18} ", *(f"{score > 0.75!s:7}" for score in scores(files)))
# --8<-- [end:runs]


# --8<-- [start:follow]
def follow(teacher, student, momentum):
    """Move the teacher's arrays toward the student's, statistics included."""
    for t, s in zip(teacher.weights, student.weights, strict=True):
        if "float" in t.dtype:
            t.assign(t + (1 - momentum) * (s - t))


# --8<-- [end:follow]


# --8<-- [start:teacher]
def follow_trainable(teacher, student, momentum):
    variables = teacher.trainable_variables, student.trainable_variables
    for t, s in zip(*variables):
        t.assign(t + (1 - momentum) * (s - t))


ways = {
    "trainable_variables": follow_trainable,
    "follow": follow,
    "in training mode": follow_trainable,
    "frozen, training mode": follow,
}
student = build()
teachers = {(m, way): build() for m in [0.95, 0.995] for way in ways}
for network in [student, *teachers.values()]:
    network.set_weights(start)
for (_, way), teacher in teachers.items():
    teacher.trainable = way != "frozen, training mode"
optimizer = keras.optimizers.SGD(1.0)
optimizer.build(student.trainable_variables)


@tf.function
def step(x, y):
    with tf.GradientTape() as tape:
        value = loss(y, student(x, training=True))
    gradients = tape.gradient(value, student.trainable_variables)
    optimizer.apply(gradients, student.trainable_variables)
    for (momentum, way), teacher in teachers.items():
        ways[way](teacher, student, momentum)
        if "training mode" in way:
            teacher(x, training=True)


dataset = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(1344, seed=0)
for x_batch, y_batch in dataset.repeat(3).batch(32):
    step(x_batch, y_batch)

print("student above 0.85:", accuracy(student) > 0.85)
print("teacher above 0.85             after training  estimated")
for (momentum, way), teacher in teachers.items():
    before = accuracy(teacher) > 0.85
    pairs = zip(batch_norms(teacher), batch_norms(student))
    layers = [layer for layer, trained in pairs if trained.trainable]
    estimate_again(teacher, batches, layers)
    print(f"{momentum:5}  {way:23} {before!s:15} {accuracy(teacher) > 0.85}")
# --8<-- [end:teacher]
