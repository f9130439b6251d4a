# --8<-- [start:setup]
import keras
import numpy as np
from bn_tools import write_record


Norm = keras.layers.BatchNormalization


def build(norm=Norm, epsilon=0.001, activation="softmax", policy="float32"):
    layers = [
        keras.Input(shape=(3,)),
        norm(epsilon=epsilon, name="bn", dtype=policy),
        keras.layers.Dense(3, activation, name="head", dtype=policy),
    ]
    net = keras.Sequential(layers, name="net")
    net.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net


keras.utils.set_random_seed(0)
y = np.arange(120) % 3
x = np.eye(3)[y] + np.random.normal(0, 0.1, size=(120, 3))
x = (x * [1, 10, 100] + [2, 0, 0]).astype("float32")

model = build()
bn, head = model.layers
bn.moving_mean.assign(x.mean(axis=0))
bn.moving_variance.assign(x.var(axis=0))
head.kernel.assign(2 * np.eye(3))
write_record("model.npz", model, x[:32])
model.save("model.keras")


def with_fault(name=None, value=0, **settings):
    """The model with another array or another setting."""
    net = build(**settings)
    net.set_weights(model.get_weights())
    for variable in net.weights:
        if variable.name == name:
            variable.assign(np.broadcast_to(value, variable.shape))
    return net


# --8<-- [end:setup]

# --8<-- [start:yours]
import keras
import numpy as np
from bn_diagnosis import explain, measure
from bn_tools import broken, compare

loaded = keras.saving.load_model("model.keras")
rows = served = x[:8]


def predict(rows):
    return loaded.predict_on_batch(rows)


def accuracy(targets, outputs):
    return np.mean(np.argmax(outputs, axis=-1) == targets)


# --8<-- [end:yours]

# --8<-- [start:finite]
print(broken(loaded))
# --8<-- [end:finite]

# --8<-- [start:finite_faults]
print(broken(with_fault("moving_mean", np.nan)))
print(broken(with_fault("moving_variance", -1)))
print(broken(with_fault("kernel", np.nan)))
# --8<-- [end:finite_faults]

# --8<-- [start:arrays]
print(compare("model.npz", loaded))
# --8<-- [end:arrays]

# --8<-- [start:arrays_faults]
more = with_fault()
more.add(keras.layers.Dense(3))
frozen = with_fault()
frozen.layers[0].trainable = False
faults = {
    "no statistics": with_fault("moving_variance", 1),
    "another array": with_fault("kernel", 1),
    "another epsilon": with_fault(epsilon=0.1),
    "another flag": frozen,
    "other code": more,
    "another activation": with_fault(activation="sigmoid"),
}
for fault, net in faults.items():
    print(f"{fault:22}{compare('model.npz', net)[-1]}")
# --8<-- [end:arrays_faults]

# --8<-- [start:statistics]
print(measure(loaded, (x, y), (x, y), accuracy)["cause"])
# --8<-- [end:statistics]


# --8<-- [start:statistics_faults]
class AlwaysTraining(Norm):
    def call(self, inputs, **ignored):
        return super().call(inputs, training=True)


faults = {
    "never moved": with_fault("moving_mean", 0),
    "moved too little": with_fault("moving_mean", x.mean(axis=0) / 4),
    "training mode": with_fault(norm=AlwaysTraining),
    "bad weights": with_fault("kernel", 1),
}
for fault, net in faults.items():
    cause = measure(net, (x, y), (x, y), accuracy)["cause"]
    print(f"{fault:18}{cause}")
# --8<-- [end:statistics_faults]

# --8<-- [start:runs]
print(np.array_equal(predict(rows), predict(rows)))
# --8<-- [end:runs]

# --8<-- [start:runs_faults]
noise = keras.layers.GaussianNoise(1.0)


def noisy(rows):
    return predict(noise(rows, training=True))


print(np.array_equal(noisy(rows), noisy(rows)))
# --8<-- [end:runs_faults]

# --8<-- [start:mode]
print(np.allclose(predict(rows), loaded(rows, training=False), atol=1e-3))
# --8<-- [end:mode]

# --8<-- [start:mode_faults]
outputs = with_fault()(rows, training=True)
print(np.allclose(outputs, loaded(rows, training=False), atol=1e-3))
# --8<-- [end:mode_faults]

# --8<-- [start:alone]
print(np.allclose(predict(rows)[:1], predict(rows[:1]), atol=1e-3))
# --8<-- [end:alone]


# --8<-- [start:alone_faults]
def scaled(rows):
    return predict(rows - rows.mean(axis=0))


print(np.allclose(scaled(rows)[:1], scaled(rows[:1]), atol=1e-3))
# --8<-- [end:alone_faults]

# --8<-- [start:inputs]
print(explain(rows, served))
# --8<-- [end:inputs]

# --8<-- [start:inputs_faults]
for served in [rows[:, ::-1], rows / 255, x[8:16]]:
    print(explain(rows, served))
# --8<-- [end:inputs_faults]

# --8<-- [start:metric]
print(np.isclose(loaded.evaluate(x, y, verbose=0)[1], accuracy(y, predict(x))))
# --8<-- [end:metric]

# --8<-- [start:metric_faults]
one_hot = np.eye(3)[y]
metric = keras.metrics.Accuracy()
loaded.compile(loss="categorical_crossentropy", metrics=[metric])
reported = loaded.evaluate(x, one_hot, verbose=0)[1]
print(np.isclose(reported, accuracy(y, predict(x))))
# --8<-- [end:metric_faults]

# --8<-- [start:elsewhere]
import keras
from bn_tools import compare

print(compare("model.npz", keras.saving.load_model("model.keras")))
# --8<-- [end:elsewhere]

# --8<-- [start:elsewhere_faults]
from pathlib import Path

print(compare("model.npz", with_fault(policy="mixed_bfloat16"))[-1])

Path("cut.keras").write_bytes(Path("model.keras").read_bytes()[:-100])
try:
    keras.saving.load_model("cut.keras")
except Exception as error:
    print("raised:", type(error).__name__)
# --8<-- [end:elsewhere_faults]
