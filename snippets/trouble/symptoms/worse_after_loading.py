# --8<-- [start:build]
import keras
import numpy as np


class Net(keras.Model):
    def __init__(self, epsilon=0.001, units=5):
        super().__init__()
        self.norms = [
            keras.layers.BatchNormalization(epsilon=epsilon) for _ in range(2)
        ]
        self.hidden = keras.layers.Dense(units)
        self.head = keras.layers.Dense(5, activation="softmax")

    def call(self, x, training=False):
        x = self.hidden(self.norms[0](x, training=training))
        return self.head(self.norms[1](x, training=training))


def build(**changes):
    net = Net(**changes)
    net(np.zeros((1, 5)))
    net.compile("sgd", loss="sparse_categorical_crossentropy")
    net.optimizer.build(net.trainable_variables)
    return net


def accuracy(targets, outputs):
    """Of numbers of classes, and outputs with one column per class."""
    assert outputs.shape[-1] > 1, "for a sigmoid, compare outputs with 0.5"
    classes = np.argmax(outputs, axis=-1)
    return np.mean(classes == np.reshape(targets, classes.shape))


# --8<-- [end:build]

# --8<-- [start:models]
from bn_tools import estimate_again, write_record

keras.utils.set_random_seed(0)
noise = np.random.normal(size=(500, 5))
y = np.argmax(noise, axis=1)
x = (5 + noise * [0.1, 0.1, 0.1, 1, 1]).astype("float32")


def with_weights(shift):
    """A model whose weights are right: the class is the largest feature."""
    net = build()
    for array in net.trainable_variables:
        start = 10 * np.eye(5) if array.name == "kernel" else array.numpy()
        array.assign(start + shift)
    return net


model = with_weights(0.1)
estimate_again(model, [x])
young = with_weights(0.2)
for _ in range(10):  # too few for its statistics
    young(x, training=True)

for name, net in {"model": model, "young": young, "new": build()}.items():
    write_record(f"{name}.npz", net, x[:32])
    net.save_weights(f"{name}.weights.h5")
# --8<-- [end:models]

# --8<-- [start:measure]
from bn_diagnosis import measure

loaded = build(epsilon=0.1)
loaded.load_weights("model.weights.h5")
training, service = (x, y), (x, y)

result = measure(loaded, training, service, accuracy, record="model.npz")
print("cause:", result["cause"])
print(*result["found"], sep="\n")
# --8<-- [end:measure]

# --8<-- [start:table]
heads = ["arrays", "predictions", "loaded", "estimated"]


def line(case, words):
    cells = zip(words, [12, 13, 8, 9])
    text = "".join(f"{word:{width}}" for word, width in cells)
    print(f"{case:24}{text}".rstrip())


def row(case, net, rows=x, record="model"):
    training = rows, y
    record = f"{record}.npz"
    result = measure(net, training, training, accuracy, record=record)
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

net = build(units=6)
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
    return keras.Sequential([keras.Input((5,)), first, sound])


adapted = with_normalization()
adapted.layers[0].adapt(np.array([[64.0] * 5, [192.0] * 5]))
pixels = 128 + 64 * x  # mean and deviation of the line above
write_record("adapted.npz", adapted, pixels[:32])

copied = with_normalization()
copied.set_weights(adapted.get_weights())
row("Normalization layer", copied, pixels, record="adapted")
# --8<-- [end:settings]

# --8<-- [start:before]
row("too few steps", young, record="young")

net = build()
net.load_weights("new.weights.h5")
row("saved before training", net, record="new")
# --8<-- [end:before]

# --8<-- [start:causes]
for case, name in causes.items():
    print(f"{case:24}{name}")
# --8<-- [end:causes]

# --8<-- [start:process]
np.savez("rows.npz", x=x, y=y)
# --8<-- [end:process]

# --8<-- [start:reload]
from bn_diagnosis import measure

rows = np.load("rows.npz")
batch = rows["x"], rows["y"]
for file in ["no file", "model.weights.h5"]:
    net = build()
    if file != "no file":
        net.load_weights(file)
    result = measure(net, batch, batch, accuracy, record="model.npz")
    print(f"{file}:", result["cause"])
# --8<-- [end:reload]
