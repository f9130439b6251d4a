# --8<-- [start:setup]
import keras
import numpy as np
from bn_tools import estimate_again, write_record

rng = np.random.default_rng(0)
patterns = rng.normal(size=(4, 8, 8, 3))
y = np.arange(200) % 4
noise = rng.normal(size=(200, 8, 8, 3))
x = [0.7, 0.5, 0.3] + 0.05 * (patterns[y] + noise)
x = x.astype("float32")  # images, each with the pattern of its class


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.norm = keras.layers.BatchNormalization(momentum=0.9)
        self.flatten = keras.layers.Flatten()
        self.head = keras.layers.Dense(4, use_bias=False)

    def call(self, x, training=False):
        return self.head(self.flatten(self.norm(x, training=training)))


def accuracy(targets, outputs):
    return np.mean(np.argmax(outputs, axis=-1) == targets)


model = Net()
model(x[:1])
model.head.kernel.assign(patterns.reshape(4, -1).T)  # finds the patterns
estimate_again(model, [x])
write_record("model.npz", model, x[:32])
# --8<-- [end:setup]

# --8<-- [start:measure]
from bn_diagnosis import explain, measure

training = x, y
service = x[..., ::-1], y  # the same rows, as the service reads them
result = measure(model, training, service, accuracy, record="model.npz")
print("cause:", result["cause"])
print("inputs:", explain(training[0], service[0]))
# --8<-- [end:measure]


# --8<-- [start:cases]
def row(case, net, seen=x, labels=y, **options):
    options |= {"record": "model.npz"}
    result = measure(net, training, (seen, labels), accuracy, **options)
    scores = result["loaded"], result["served"]
    assert all(score > 0.93 or score < 0.8 for score in scores), scores
    words = ["good" if score > 0.9 else "bad" for score in scores]
    print(f"{case:24}{words[0]:8}{words[1]:8}{explain(x, seen)}")
    causes[case] = result["cause"]


causes = {}
print(f"{'':24}loaded  served  inputs")
row("as in training", model)
row("RGB read as BGR", model, x[..., ::-1])
row("scaled twice", model, x / 255)
row("not scaled", model, x * 255)
row("rows and columns", model, x.swapaxes(1, 2))
row("classes in other order", model, labels=3 - y)
row("training mode", model, serve=lambda rows: model(rows, training=True))


class AlwaysTraining(Net):
    def call(self, x, training=False):
        return super().call(x, training=True)


always = AlwaysTraining()
always(x[:1])
always.set_weights(model.get_weights())
row("training=True in call", always)
# --8<-- [end:cases]

# --8<-- [start:causes]
for case, name in causes.items():
    print(f"{case:24}{name}")
# --8<-- [end:causes]

# --8<-- [start:alone]
answers = [np.argmax(model(x[i : i + 1], training=True)) for i in range(100)]
print("images, each alone:", np.mean(answers == y[:100]) > 0.9)
# --8<-- [end:alone]

# --8<-- [start:more]
print(explain(x, x[::-1]))
print(explain(x, x.round(2)))
# --8<-- [end:more]
