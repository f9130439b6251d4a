# --8<-- [start:train]
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
noise = np.random.normal(size=(2000, 5))
x = (5 + 0.1 * noise).astype("float32")
y = np.argmax(noise, axis=1)


def build():
    return keras.Sequential(
        [
            keras.Input(shape=(5,)),
            keras.layers.BatchNormalization(name="bn1"),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.BatchNormalization(name="bn2"),
            keras.layers.Dense(5, activation="softmax"),
        ]
    )


def fit(model, x, y, optimizer, epochs=8, **options):
    model.compile(
        optimizer=optimizer,
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    history = model.fit(
        x, y, batch_size=100, epochs=epochs, verbose=0, **options
    )
    return history.history["accuracy"][-1]


def accuracy(model, x, y):
    return np.mean(np.argmax(model(x, training=False), axis=1) == y)


model = build()
reported = fit(model, x, y, keras.optimizers.Adam(0.01), epochs=4)
model.save("stale.keras")
# --8<-- [end:train]

# --8<-- [start:repair]
from bn_tools import estimate_again

dataset = tf.data.Dataset.from_tensor_slices((x, y))

before = accuracy(model, x, y)
changed = estimate_again(model, dataset.batch(500))
print("fit reported more than 0.8:       ", reported > 0.8)
print("inference mode before, above 0.5: ", before > 0.5)
print("inference mode after, above 0.9:  ", accuracy(model, x, y) > 0.9)
print("changed:", *changed)
# --8<-- [end:repair]

# --8<-- [start:exact]
stale = keras.saving.load_model("stale.keras")
for net, when in {stale: "before", model: "after "}.items():
    bn1, dense, bn2, _ = net.layers
    received = {bn1: x, bn2: dense(bn1(x, training=False)).numpy()}
    for layer, values in received.items():
        right = np.allclose(
            layer.moving_mean, values.mean(axis=0), rtol=0.02, atol=0.02
        ) and np.allclose(
            layer.moving_variance, values.var(axis=0), rtol=0.1, atol=1e-4
        )
        print(when, layer.name, "has mean and variance of its inputs:", right)

arrays = [net.variables + net.optimizer.variables for net in [stale, model]]
differ = [
    "/".join(new.path.split("/")[-2:])
    for old, new in zip(*arrays, strict=True)
    if not np.array_equal(old, new)
]
print(f"of {len(arrays[0])} arrays changed:", *differ, sep="\n  ")
# --8<-- [end:exact]

# --8<-- [start:save]
from bn_tools import write_record

model.save("repaired.keras")
write_record("repaired.npz", model, x[:32])
# --8<-- [end:save]

# --8<-- [start:reload]
import keras
from bn_tools import compare

for file in ["repaired.keras", "stale.keras"]:
    print(file, compare("repaired.npz", keras.saving.load_model(file))[:1])
# --8<-- [end:reload]

# --8<-- [start:frozen]
from bn_tools import batch_norms

base = keras.Sequential(
    [keras.Input(shape=(5,)), keras.layers.BatchNormalization(name="base_bn")]
)
estimate_again(base, [x - 0.1])  # stands for the pretraining
base.trainable = False
head = [keras.layers.BatchNormalization(name="head_bn"), keras.layers.Dense(5)]
tuned = keras.Sequential([keras.Input(shape=(5,)), base, *head])
pretrained = base.get_weights()


class InferenceMode(keras.layers.Layer):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def call(self, x):
        return self.net(x, training=False)


wrapped = InferenceMode(base)
unfrozen = keras.Sequential([keras.Input(shape=(5,)), wrapped, *head])
for case, frozen, net, layers in [
    ("frozen", True, tuned, None),
    ("inference mode", False, unfrozen, None),
    ("named", True, tuned, batch_norms(tuned)),
]:
    base.trainable = not frozen
    names = [p.split("/")[-1] for p in estimate_again(net, [x], layers)]
    kept = all(map(np.array_equal, base.get_weights(), pretrained))
    print(f"{case:14} estimated: {' '.join(names):16} base kept: {kept}")
print("still frozen:", not base.trainable_variables)
try:
    estimate_again(base, [x])
except ValueError as error:
    print(str(error).split(".")[0])
# --8<-- [end:frozen]
