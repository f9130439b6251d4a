# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf
from keras import layers

from bn_tools import compare, write_record

keras.utils.set_random_seed(0)
means = 0.1 * np.arange(8)
x = np.random.normal(means, 0.01, size=(256, 8, 8)).astype("float32")


def build(shortcut="bn1", epsilon=0.001, later_first=False, order=1):
    convs = [layers.Conv1D(8, 3, padding="same") for _ in range(2)]
    if later_first:
        convs.reverse()
    inputs = keras.Input(shape=(8, 8))
    start = {"inputs": inputs}
    bn1 = layers.BatchNormalization(epsilon=epsilon, momentum=0.5)
    start["bn1"] = bn1(inputs)
    factors = []
    for conv, name in zip(convs, ["tanh", "sigmoid"]):
        bn = layers.BatchNormalization(momentum=0.5)
        factors.append(layers.Activation(name)(bn(conv(start["bn1"]))))
    h = layers.Multiply()(factors[::order])
    h = layers.Add()([h, start[shortcut]])
    return keras.Model(inputs, layers.Dense(3)(layers.Flatten()(h)))


model = build()
for _ in range(10):
    model(x, training=True)
predictions = model(x, training=False)
write_record("record.npz", model, x[:32])
model.save_weights("m.weights.h5")
model.save("m.keras")
model.save("m.h5")
tf.train.Checkpoint(model=model).write("checkpoint")
# --8<-- [end:setup]


# --8<-- [start:see]
def load(net, file):
    if file == "checkpoint":
        tf.train.Checkpoint(model=net).read(file)
    else:
        net.load_weights(file)
    return net


files = ["m.weights.h5", "m.keras", "m.h5", "checkpoint"]
print(f"{'':24}" + "".join(f"{file:14}" for file in files).rstrip())
for name, change in {
    "nothing": {},
    "created in other order": {"later_first": True},
    "epsilon": {"epsilon": 1e-5},
    "shortcut from inputs": {"shortcut": "inputs"},
    "Multiply()([b, a])": {"order": -1},
}.items():
    cells = []
    for file in files:
        outputs = load(build(**change), file)(x, training=False)
        off = np.max(np.abs(outputs - predictions))
        cells.append("OFF" if off > 0.1 else "close" if off else "equal")
    print(f"{name:24}" + "".join(f"{cell:14}" for cell in cells).rstrip())
# --8<-- [end:see]

# --8<-- [start:fix]
for order in [-1, 1]:
    rebuilt = load(build(order=order), "m.weights.h5")
    found = compare("record.npz", rebuilt) or ["nothing differs"]
    print(f"order {order}", *found, sep="\n    ")
# --8<-- [end:fix]

# --8<-- [start:sure]
loaded = keras.saving.load_model("m.keras")
print(compare("record.npz", loaded) or "nothing differs")
# --8<-- [end:sure]
