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


def build():
    model = keras.Sequential([keras.Input(shape=(64,))], name="digits")
    for i in range(6):
        model.add(keras.layers.Dense(192, use_bias=False))
        model.add(keras.layers.BatchNormalization(momentum=0.9, name=f"bn{i}"))
        model.add(keras.layers.ReLU())
    model.add(keras.layers.Dense(10))
    return model


def accuracy(net):
    return np.mean(np.argmax(net(x_test, training=False), axis=1) == y_test)


# --8<-- [end:model]


# --8<-- [start:estimate]
def estimate_statistics(net, x):
    layers = [
        layer
        for layer in net.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.momentum = 0.0
    net(x, training=True)
    for layer, momentum in zip(layers, momenta):
        layer.momentum = momentum


# --8<-- [end:estimate]

# --8<-- [start:ema]
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model = build()
model.compile(
    optimizer=keras.optimizers.SGD(1.0, use_ema=True, ema_momentum=0.995),
    loss=loss,
    metrics=["accuracy"],
)
history = model.fit(
    x,
    y,
    validation_data=(x_test, y_test),
    epochs=3,
    callbacks=[
        keras.callbacks.SwapEMAWeights(),
        keras.callbacks.ModelCheckpoint("unaveraged.keras"),
    ],
    verbose=0,
)
# --8<-- [end:ema]

# --8<-- [start:slots]
paths = [variable.path for variable in model.optimizer.variables]
for array in ["gamma", "beta", "moving_mean", "moving_variance"]:
    averaged = any(path.endswith(f"bn0_{array}_average") for path in paths)
    print(f"{array:16} averaged: {averaged}")
# --8<-- [end:slots]

# --8<-- [start:damage]
unaveraged = keras.saving.load_model("unaveraged.keras")
layer, before = model.get_layer("bn0"), unaveraged.get_layer("bn0")
print(
    "statistics of the weights before averaging:",
    np.array_equal(layer.moving_mean, before.moving_mean),
)
print("before averaging, above 0.7:", accuracy(unaveraged) > 0.7)
print("averaged,         above 0.7:", accuracy(model) > 0.7)
# --8<-- [end:damage]

# --8<-- [start:repair]
estimate_statistics(model, x)
print("averaged and estimated again, above 0.7:", accuracy(model) > 0.7)
# --8<-- [end:repair]

# --8<-- [start:save]
model.save("averaged.keras")
np.savez(
    "expected.npz",
    *model.get_weights(),
    x=x_test,
    y=y_test,
    predictions=model(x_test, training=False),
)
# --8<-- [end:save]

# --8<-- [start:reload]
import keras
import numpy as np

loaded = keras.saving.load_model("averaged.keras")
expected = np.load("expected.npz")

for i, array in enumerate(loaded.get_weights()):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
predictions = loaded(expected["x"], training=False)
np.testing.assert_array_equal(predictions, expected["predictions"])
score = np.mean(np.argmax(predictions, axis=1) == expected["y"])
print(len(loaded.weights), "arrays and", len(predictions), "predictions equal")
print("above 0.7:", score > 0.7)
# --8<-- [end:reload]

# --8<-- [start:monitor]
print("val_accuracy, above 0.7:", history.history["val_accuracy"][-1] > 0.7)
# --8<-- [end:monitor]


# --8<-- [start:small]
def small():
    net = keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.Dense(8),
            keras.layers.BatchNormalization(momentum=0.9, name="bn"),
            keras.layers.ReLU(),
            keras.layers.Dense(1),
        ]
    )
    net.compile(
        optimizer=keras.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.9),
        loss="mean_squared_error",
        run_eagerly=True,  # quicker for a dozen steps
    )
    return net


inputs = np.random.normal(5, 3, size=(64, 4)).astype("float32")
targets = inputs[:, :1] - inputs[:, 1:2]
beginning = small().get_weights()


def run(*callbacks, epochs=3):
    net = small()
    net.set_weights(beginning)
    net.fit(
        inputs,
        targets,
        epochs=epochs,
        shuffle=False,
        callbacks=callbacks,
        verbose=0,
    )
    return net


# --8<-- [end:small]


# --8<-- [start:record]
def trained(net):
    return [variable.numpy() for variable in net.trainable_variables]


def averages(net):
    return [
        variable.numpy()
        for variable in net.optimizer.variables
        if variable.path.endswith("_average")
    ]


known = {}


class Record(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        known[f"weights of epoch {epoch + 1}"] = trained(self.model)
        known[f"averages of epoch {epoch + 1}"] = averages(self.model)
        if epoch == 1:
            self.model.save("two.keras")
            self.model.save("two.h5")
            self.model.save_weights("two.weights.h5")
            tf.train.Checkpoint(self.model).write("two")


def which(arrays):
    for name, candidates in known.items():
        # SwapEMAWeights swaps by adding and subtracting, which rounds.
        if len(arrays) == len(candidates) and all(
            np.allclose(a, b, atol=1e-4) for a, b in zip(arrays, candidates)
        ):
            return name
    return "none of these"


print("after fit:", which(trained(run(Record()))))
# --8<-- [end:record]

# --8<-- [start:formats]
weights, restored = small(), small()
for net in [weights, restored]:
    net.optimizer.build(net.trainable_variables)
weights.load_weights("two.weights.h5")
status = tf.train.Checkpoint(restored).read("two")
status.assert_existing_objects_matched()

for name, net in {
    ".keras": keras.saving.load_model("two.keras"),
    ".weights.h5": weights,
    "Checkpoint": restored,
    ".h5": keras.saving.load_model("two.h5"),
}.items():
    print(f"{name:11}  model:     {which(trained(net))}")
    print(f"{'':11}  optimizer: {which(averages(net))}")
# --8<-- [end:formats]

# --8<-- [start:from_file]
written = keras.saving.load_model("two.keras")
written.optimizer.finalize_variable_values(written.trainable_variables)
estimate_statistics(written, inputs)
print("model:", which(trained(written)))
# --8<-- [end:from_file]

# --8<-- [start:callbacks]
checkpoint = keras.callbacks.ModelCheckpoint("epoch-{epoch}.keras")
swap = keras.callbacks.SwapEMAWeights
for name, callbacks in {
    "swap()": [swap(), checkpoint],
    "after, on epoch": [checkpoint, swap(swap_on_epoch=True)],
    "before, on epoch": [swap(swap_on_epoch=True), checkpoint],
}.items():
    run(*callbacks)
    written = keras.saving.load_model("epoch-2.keras")
    print(f"{name:16}  model:     {which(trained(written))}")
    print(f"{'':16}  optimizer: {which(averages(written))}")
    unswapped = keras.saving.load_model("two.keras").get_layer("bn")
    swapped = written.get_layer("bn")
    np.testing.assert_allclose(
        unswapped.moving_mean, swapped.moving_mean, atol=1e-4
    )
print("moving_mean as without the callback")
# --8<-- [end:callbacks]

# --8<-- [start:early]
stopped = run(
    keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
    # Nothing improves by that much, so it stops after the second epoch.
    keras.callbacks.EarlyStopping(monitor="loss", min_delta=1000, patience=1),
)
print("model:    ", which(trained(stopped)))
print("optimizer:", which(averages(stopped)))
# --8<-- [end:early]


# --8<-- [start:save_averages]
class SaveAverages(keras.callbacks.Callback):
    def __init__(self, path, x):
        super().__init__()
        self.path, self.x = path, x

    def on_epoch_end(self, epoch, logs=None):
        copy = keras.models.clone_model(self.model)
        copy.set_weights(self.model.get_weights())
        optimizer = self.model.optimizer
        optimizer.finalize_variable_values(copy.trainable_variables)
        estimate_statistics(copy, self.x)
        copy.save(self.path.format(epoch=epoch + 1))


stopped = run(
    SaveAverages("averaged-{epoch}.keras", inputs),
    keras.callbacks.EarlyStopping(monitor="loss", min_delta=1000, patience=1),
)
print("model:", which(trained(stopped)))
for epoch in [1, 2]:
    written = keras.saving.load_model(f"averaged-{epoch}.keras")
    print("file: ", which(trained(written)))
# --8<-- [end:save_averages]


# --8<-- [start:again]
def third_epoch(net):
    net.fit(
        inputs, targets, initial_epoch=2, epochs=3, shuffle=False, verbose=0
    )
    print(which(trained(net)))


third_epoch(run(epochs=2))
# --8<-- [end:again]

# --8<-- [start:resume]
third_epoch(keras.saving.load_model("two.keras"))
# --8<-- [end:resume]

# --8<-- [start:runs]
net = build()
start = net.get_weights()
net.compile(optimizer=keras.optimizers.SGD(1.0), loss=loss)
files = ["run-1.weights.h5", "run-2.weights.h5", "run-3.keras"]
for seed, file in enumerate(files):
    keras.utils.set_random_seed(seed)  # another order of the data
    net.set_weights(start)
    net.fit(x, y, epochs=4, verbose=0)
    print("above 0.7:", accuracy(net) > 0.7)
    if file.endswith(".keras"):
        net.save(file)
    else:
        net.save_weights(file)
# --8<-- [end:runs]


# --8<-- [start:average]
def read(file):
    net.load_weights(file)
    return net.get_weights()


def compare(name, saved):
    average = [np.mean(arrays, axis=0) for arrays in zip(*saved)]
    found = []

    trainable = [variable.trainable for variable in net.weights]
    net.set_weights(
        [a if t else b for t, a, b in zip(trainable, average, saved[-1])]
    )
    found.append(accuracy(net))  # statistics of the last file

    net.set_weights(average)
    found.append(accuracy(net))  # statistics averaged as well

    estimate_statistics(net, x)
    found.append(accuracy(net))  # statistics estimated again
    print(f"{name:16}", *("yes " if a > 0.7 else "no  " for a in found))


print("above 0.7 with   last averaged estimated")
compare("three runs", [read(file) for file in files])
net.save("average.keras")
# --8<-- [end:average]


# --8<-- [start:swa]
class AverageEpochs(keras.callbacks.Callback):
    def __init__(self, first, x):
        super().__init__()
        self.first, self.x, self.saved = first, x, []

    def on_epoch_end(self, epoch, logs=None):
        if epoch >= self.first:
            self.saved.append(self.model.get_weights())

    def on_train_end(self, logs=None):
        average = [np.mean(arrays, axis=0) for arrays in zip(*self.saved)]
        self.model.set_weights(average)
        estimate_statistics(self.model, self.x)


net.set_weights(start)
net.optimizer.learning_rate = 0.2
average_epochs = AverageEpochs(first=3, x=x)
net.fit(x, y, epochs=6, callbacks=[average_epochs], verbose=0)
print("averaged and estimated, above 0.7:", accuracy(net) > 0.7)

compare("epochs of one run", average_epochs.saved)
# --8<-- [end:swa]

# --8<-- [start:key_error]
kept = {v.path: v.numpy() for v in net.trainable_variables}
try:
    for variable in net.variables:
        variable.assign(kept[variable.path])
except KeyError as error:
    print("KeyError:", error)
# --8<-- [end:key_error]

# --8<-- [start:key_error_fix]
for variable in net.trainable_variables:
    variable.assign(kept[variable.path])
estimate_statistics(net, x)
print("above 0.7:", accuracy(net) > 0.7)
# --8<-- [end:key_error_fix]

# --8<-- [start:teacher]
student, teacher = build(), build()
optimizer = keras.optimizers.SGD(1.0)
optimizer.build(student.trainable_variables)


@tf.function
def step(x, y, teacher_in_training_mode):
    with tf.GradientTape() as tape:
        value = loss(y, student(x, training=True))
    gradients = tape.gradient(value, student.trainable_variables)
    optimizer.apply_gradients(zip(gradients, student.trainable_variables))
    for t, s in zip(teacher.trainable_variables, student.trainable_variables):
        t.assign(0.95 * t + 0.05 * s)
    if teacher_in_training_mode:
        teacher(x, training=True)


def test_loss(network):
    return float(loss(y_test, network(x_test, training=False)))


def train(**arguments):
    student.set_weights(start)
    teacher.set_weights(start)
    batches = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(1344, seed=0)
    for x_batch, y_batch in batches.repeat(3).batch(32):
        step(x_batch, y_batch, **arguments)
    for name, network in {"student": student, "teacher": teacher}.items():
        print(f"test loss of the {name} below 1:", test_loss(network) < 1)


train(teacher_in_training_mode=False)
layer = teacher.get_layer("bn0")
print("moving_mean:", np.unique(layer.moving_mean))
print("moving_variance:", np.unique(layer.moving_variance))
# --8<-- [end:teacher]

# --8<-- [start:teacher_estimate]
estimate_statistics(teacher, x)
print("test loss of the teacher below 1:", test_loss(teacher) < 1)
# --8<-- [end:teacher_estimate]

# --8<-- [start:teacher_mode]
train(teacher_in_training_mode=True)
# --8<-- [end:teacher_mode]

# --8<-- [start:target]
target = build()
target.set_weights(student.get_weights())
print("same loss:", test_loss(target) == test_loss(student))
# --8<-- [end:target]
