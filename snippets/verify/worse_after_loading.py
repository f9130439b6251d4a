# --8<-- [start:measure]
import keras
import numpy as np
from bn_tools import batch_norms, broken, compare, estimate_again


def measure(
    loaded, before, after, score, good=0.9, record=None, serve=None, atol=1e-5
):
    """Measure five things and name the likely cause. All variables stay.

    Args:
        loaded: The model that is worse.
        before: Training rows as `fit` gets them: `(inputs, targets)`, or
            batches of that, such as `dataset.take(8)`.
        after: The same rows, read and prepared as your service does it.
        score: Function of targets and outputs; larger is better.
        good: The score from which you call the model good.
        record: What `write_record` wrote of the model before it was saved.
        serve: Function from inputs to outputs, if your service does something
            else than `loaded(inputs, training=False)`.
        atol: As `compare` takes it; 1e-2 under a mixed policy.
    """
    before, after = batches_of(before), batches_of(after)
    layers = batch_norms(loaded)
    kept = [(variable, variable.numpy()) for variable in loaded.variables]
    found = []
    result = {"arrays": "-", "predictions": "-"}

    def infer(inputs):
        return loaded(inputs, training=False)

    def moved():
        """Undo what a call changed; return whether statistics were in it."""
        changed = [v for v, old in kept if v.numpy().tobytes() != old.tobytes()]
        for variable, array in kept:
            variable.assign(array)
        return any(v.name.startswith("moving_") for v in changed)

    try:
        result["loaded"] = score_of(score, infer, before)
        always = moved()
        if record:
            found += compare(record, loaded, atol)
            result["arrays"] = arrays_that_differ(found, loaded)
            differ = any(line.startswith("predictions") for line in found)
            result["predictions"] = "differ" if differ else "equal"
            moved()
        result["served"] = score_of(score, serve or infer, after)
        modes = always, moved()
        try:
            if layers and not broken(loaded):
                batches = [inputs for inputs, *_ in before]
                estimate_again(loaded, batches, layers)
        except ValueError as error:
            found.append(f"not estimated: {error}")
        result["estimated"] = score_of(score, infer, before)
    finally:
        moved()
    means = [layer.moving_mean.numpy() for layer in layers]
    start = bool(layers) and not any(mean.any() for mean in means)
    result["cause"] = cause(result, good, start, *modes, broken(loaded))
    return result | {"found": found}


def cause(result, good, start, always, moved, not_finite):
    arrays, differ = result["arrays"], result["predictions"] == "differ"
    loaded = result["loaded"] >= good
    served = result["served"] >= good
    estimated = result["estimated"] >= good
    causes = {
        "values that are not finite": not_finite,
        "another model, or restored before it was built": arrays == "other",
        "the model runs in training mode in each call": always,
        "nothing was restored": arrays == "all" and start,
        "another run's file, or none on pretrained weights": arrays == "all",
        "one part was not restored": arrays == "some",
        "the moving statistics were lost": arrays == "statistics"
        and (start or not loaded),
        "the record has other statistics": arrays == "statistics",
        "settings or state that are no arrays": differ,
        "the service runs in training mode": moved,
        "nothing": loaded and served,
        "the inputs, the labels or the mode of the service": loaded,
        "the moving statistics were lost or never learned": estimated and start,
        "the moving statistics do not fit the weights": estimated,
        "it was bad before it was saved": arrays == "equal",
        "not the moving statistics alone: write a record": True,
    }
    return next(name for name, true in causes.items() if true)


def arrays_that_differ(found, loaded):
    names = [line[:-8] for line in found if line.endswith(" differs")]
    if any("arrays instead of" in line for line in found):
        return "other"
    if names and all("moving_" in name.rpartition("/")[2] for name in names):
        return "statistics"
    return {0: "equal", len(loaded.weights): "all"}.get(len(names), "some")


def score_of(score, call, batches):
    pairs = [(targets, call(inputs)) for inputs, targets, *_ in batches]

    def join(*parts):
        arrays = [keras.ops.convert_to_numpy(part) for part in parts]
        return np.concatenate(arrays)

    return score(*keras.tree.map_structure(join, *pairs))


def batches_of(rows):
    if isinstance(rows, tuple):  # in parts, as the memory is limited
        starts = range(0, len(keras.tree.flatten(rows)[0]), 256)
        return [
            keras.tree.map_structure(lambda a, i=i: a[i : i + 256], rows)
            for i in starts
        ]
    if hasattr(rows, "cardinality") and int(rows.cardinality()) == -1:
        raise ValueError("the dataset never ends: pass dataset.take(8)")
    if hasattr(rows, "__getitem__"):
        return [rows[i] for i in range(len(rows))]
    return list(rows)


# --8<-- [end:measure]


# --8<-- [start:explain]
def explain(before, after):
    """Say how the inputs `after` differ from `before`: arrays of the same rows,
    with the channels or features last."""
    views = {"": after}
    if after.ndim == 4:
        views["rows and columns exchanged"] = after.swapaxes(1, 2)
        views["upside down"] = after[:, ::-1]
        views["mirrored"] = after[:, :, ::-1]
        views["channels first"] = np.moveaxis(after, 1, -1)
    size = before.shape[-1]
    old = before.reshape(-1, size).astype("float64")
    flat = np.ptp(old, axis=0) == 0  # nothing to compare
    best = None
    for name, view in views.items():
        if view.shape != before.shape:
            continue
        new = view.reshape(-1, size).astype("float64")
        with np.errstate(invalid="ignore", divide="ignore"):
            alike = np.nan_to_num(np.corrcoef(old.T, new.T)[:size, size:])
        own = np.arange(size)
        still = own[flat & (np.ptp(new, axis=0) == 0)]
        alike[still, still] = 1
        for order in [own, own[::-1], alike.argmax(axis=1)]:
            least = alike[own, order].min()
            if least < 0.99:
                continue
            factor = np.ones(size)
            factor[~flat] = (
                new[:, order].std(axis=0)[~flat] / old.std(axis=0)[~flat]
            )
            factor[flat] = np.median(factor[~flat])
            if best is None or np.ptp(factor) < 0.9 * best[0]:
                new = new[:, order]
                shift = new.mean(axis=0) - factor * old.mean(axis=0)
                size_of = np.where(
                    flat, np.abs(new).max(axis=0), new.std(axis=0)
                )
                shifted = np.abs(shift) > 0.1 * size_of
                best = (
                    np.ptp(factor),
                    name,
                    order,
                    factor,
                    shift,
                    shifted,
                    least,
                )
    if best is None:
        return "in another way: other rows, size, crop, rotation, color space"
    _, name, order, factor, shift, shifted, least = best
    said = [name] if name else []
    if (order != np.arange(size)).any():
        said.append(f"channels in the order {order}")
    if not np.allclose(factor, 1, atol=0.01):
        said.append(f"times {np.round(factor, 4)}")
    if shifted.any():
        said.append(f"plus {np.round(shift, 2)}")
    if least < 0.9999:
        said.append("not exactly: another resizing, compression or gamma")
    return ", ".join(said) or "not at all"


# --8<-- [end:explain]


# --8<-- [start:build]
class Net(keras.Model):
    def __init__(self, epsilon=0.001, momentum=0.9, filters=16):
        super().__init__()
        self.convs = [
            keras.layers.Conv2D(filters, 3),
            keras.layers.Conv2D(32, 3),
        ]
        self.norms = [
            keras.layers.BatchNormalization(epsilon=epsilon, momentum=momentum)
            for _ in self.convs
        ]
        self.flatten = keras.layers.Flatten()
        self.dropout = keras.layers.Dropout(0.5)
        self.head = keras.layers.Dense(10, activation="softmax")

    def call(self, x, training=False):
        for conv, norm in zip(self.convs, self.norms):
            x = keras.ops.relu(norm(conv(x), training=training))
        x = self.dropout(self.flatten(x), training=training)
        return self.head(x)


def build(**changes):
    net = Net(**changes)
    net(np.zeros((1, 8, 8, 3)))
    net.compile(
        optimizer=keras.optimizers.SGD(0.1),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    net.optimizer.build(net.trainable_variables)
    return net


# --8<-- [end:build]


# --8<-- [start:model]
from bn_tools import write_record
from sklearn.datasets import load_digits

images, y = load_digits(return_X_y=True)
gray = images.reshape(-1, 8, 8, 1).astype("float32") / 16
color = np.concatenate([gray, gray / 2, 1 - gray], axis=-1)
x, y = (0.4 + 0.2 * color)[:600], y[:600]  # of little contrast, as in fog


def train(net, file, epochs):
    options = {"epochs": epochs, "batch_size": 50, "verbose": 0}
    options |= {"validation_data": (x, y), "validation_freq": epochs}
    history = net.fit(x, y, **options).history
    write_record(f"{file}.npz", net, x[:32])
    net.save_weights(f"{file}.weights.h5")
    return {name: values[-1] for name, values in history.items()}


keras.utils.set_random_seed(0)
model = build()
history = train(model, "model", epochs=8)

young = build(momentum=0.99)
young_history = train(young, "young", epochs=3)
# --8<-- [end:model]


# --8<-- [start:use]
def accuracy(targets, outputs):
    """Of numbers of classes, and outputs with one column per class."""
    assert outputs.shape[-1] > 1, "for a sigmoid, compare outputs with 0.5"
    classes = np.argmax(outputs, axis=-1)
    return np.mean(classes == np.reshape(targets, classes.shape))


loaded = build(epsilon=0.1)
loaded.load_weights("model.weights.h5")
training, service = (x, y), (x, y)

result = measure(loaded, training, service, accuracy, record="model.npz")
print("cause:", result["cause"])
print(*result["found"], sep="\n")
# --8<-- [end:use]


# --8<-- [start:table]
heads = ["arrays", "predictions", "loaded", "served", "estimated"]


def line(case, words):
    cells = zip(words, [11, 13, 8, 8, 9])
    text = "".join(f"{word:{width}}" for word, width in cells)
    print(f"{case:24}{text}".rstrip())


def row(case, net, training=None, service=None, record="model", **options):
    training = training or (x, y)
    result = measure(
        net,
        training,
        service or training,
        accuracy,
        record=f"{record}.npz",
        **options,
    )
    scores = [result[head] for head in heads[2:]]
    assert all(score > 0.93 or score < 0.8 for score in scores), scores
    words = ["good" if score > 0.9 else "bad" for score in scores]
    line(case, [result["arrays"], result["predictions"], *words])
    causes[case] = result["cause"]


causes = {}
line("", heads)
# --8<-- [end:table]

# --8<-- [start:load]
import tensorflow as tf

sound = build()
sound.load_weights("model.weights.h5")
row("a good reload", sound)

net = build()
tf.train.Checkpoint(model=net).restore(tf.train.latest_checkpoint("none"))
row("no checkpoint found", net)

net = build()
net.load_weights("young.weights.h5")
row("another run's file", net)

net = build(filters=24)
net.load_weights("model.weights.h5", skip_mismatch=True)
row("skip_mismatch", net)

path = tf.train.Checkpoint(model=model).save("checkpoints/net")
net = build()
tf.train.Checkpoint(model=net).restore(path).assert_consumed()
row("layers in a list", net)

net = build()
for array, saved in zip(net.trainable_variables, model.trainable_variables):
    array.assign(saved)
row("trainable_variables", net)
# --8<-- [end:load]

# --8<-- [start:settings]
for epsilon in [0.1, 1e-5]:
    net = build(epsilon=epsilon)
    net.load_weights("model.weights.h5")
    row(f"epsilon {epsilon}", net)


def with_normalization():
    first = keras.layers.Normalization(axis=None)
    return keras.Sequential([keras.Input((8, 8, 3)), first, sound])


adapted = with_normalization()
ones = np.ones((1, 8, 8, 3))
adapted.layers[0].adapt(np.concatenate([64 * ones, 192 * ones]))
pixels = 128 + 64 * x  # mean and deviation of the line above
write_record("adapted.npz", adapted, pixels[:32])

copied = with_normalization()
copied.set_weights(adapted.get_weights())
row("Normalization layer", copied, (pixels, y), record="adapted")
# --8<-- [end:settings]

# --8<-- [start:before]
row("too few steps", young, record="young")

untrained = build()
write_record("untrained.npz", untrained, x[:32])
row("saved before training", untrained, record="untrained")
# --8<-- [end:before]

# --8<-- [start:service]
for case, service in {
    "RGB read as BGR": (x[..., ::-1], y),
    "scaled twice": (x / 255, y),
    "not scaled": (x * 255, y),
    "rows and columns": (x.swapaxes(1, 2), y),
    "classes in other order": (x, 9 - y),
}.items():
    row(case, sound, service=service)


def one_by_one(rows):
    answers = [sound(rows[i : i + 1], training=True) for i in range(len(rows))]
    return np.concatenate(answers)


row("training mode", sound, service=(x[:100], y[:100]), serve=one_by_one)


class AlwaysTraining(Net):
    def call(self, x, training=False):
        return super().call(x, training=True)


always = AlwaysTraining()
always.dropout.rate = 0
always(x[:1])
always.set_weights(sound.get_weights())
row("training=True in call", always)
# --8<-- [end:service]

# --8<-- [start:causes]
for case, name in causes.items():
    print(f"{case:24}{name}")
# --8<-- [end:causes]

# --8<-- [start:val]
for name, net, seen in [
    ("too few steps", young, young_history),
    ("enough steps", model, history),
]:
    print(name)
    print("    accuracy is good:    ", seen["accuracy"] > 0.8)
    print("    val_accuracy is good:", seen["val_accuracy"] > 0.8)
    print("    evaluate is good:    ", net.evaluate(x, y, verbose=0)[1] > 0.8)
# --8<-- [end:val]

# --8<-- [start:on_batch]
net = build()
for start in range(0, 250, 50):
    net.train_on_batch(x[start : start + 50], y[start : start + 50])
before = net.test_on_batch(x[:50], y[:50])[0]

net.save_weights("net.weights.h5")
fresh = build()
for name in ["not loaded", "loaded"]:
    if name == "loaded":
        fresh.load_weights("net.weights.h5")
    after = fresh.test_on_batch(x[:50], y[:50])[0]
    print(f"{name:11} equal loss: {np.isclose(before, after)}")
# --8<-- [end:on_batch]

# --8<-- [start:repair]
reloaded = build(momentum=0.99)
reloaded.load_weights("young.weights.h5")
print("is good:", accuracy(y, reloaded(x, training=False)) > 0.9)

estimate_again(reloaded, [x])
print("is good:", accuracy(y, reloaded(x, training=False)) > 0.9)
# --8<-- [end:repair]

# --8<-- [start:finalize]
print(compare("adapted.npz", copied))

copied.layers[0].finalize_state()
print(compare("adapted.npz", copied))
# --8<-- [end:finalize]

# --8<-- [start:use_explain]
for seen in [x, x[..., ::-1], x / 255, x * 255, x.swapaxes(1, 2), x[::-1]]:
    print(explain(x, seen))
print(explain(x, x.round(2)))
# --8<-- [end:use_explain]

# --8<-- [start:process]
np.savez("rows.npz", x=x, y=y)
# --8<-- [end:process]


# --8<-- [start:reload]
def accuracy(targets, outputs):
    """Of numbers of classes, and outputs with one column per class."""
    assert outputs.shape[-1] > 1, "for a sigmoid, compare outputs with 0.5"
    classes = np.argmax(outputs, axis=-1)
    return np.mean(classes == np.reshape(targets, classes.shape))


rows = np.load("rows.npz")
batch = rows["x"], rows["y"]
for loaded in [False, True]:
    net = build()
    if loaded:
        net.load_weights("model.weights.h5")
    result = measure(net, batch, batch, accuracy, record="model.npz")
    print(f"loaded: {loaded!s:6} cause:", result["cause"])
# --8<-- [end:reload]
