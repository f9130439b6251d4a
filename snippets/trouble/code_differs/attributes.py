# --8<-- [start:setup]
import h5py
import keras
import numpy as np
import tensorflow as tf
from keras import layers

from bn_tools import compare, write_record

keras.utils.set_random_seed(0)
means = 0.1 * np.arange(8)
x = np.random.normal(means, 0.01, size=(256, 8, 8)).astype("float32")


@keras.saving.register_keras_serializable()
class Net(keras.Model):
    def __init__(self, names=("a", "b"), called=(0, 1), epsilon=0.001):
        super().__init__()
        self.called = called
        for name in names:
            norm = layers.BatchNormalization(epsilon=epsilon, momentum=0.5)
            setattr(self, name, norm)
        self.names = sorted(names)
        self.dense = layers.Dense(3)

    def call(self, x, training=False):
        for i in self.called:
            norm = getattr(self, self.names[i])
            x = keras.ops.sin(norm(x, training=training))
        return self.dense(keras.ops.reshape(x, (-1, 64)))


def build(**change):
    net = Net(**change)
    net(x[:1])
    return net


models = {"net": build(), "norms": build(names=("norm_a", "norm_b"))}
for name, model in models.items():
    for _ in range(10):
        model(x, training=True)
    model.save_weights(f"{name}.weights.h5")
    model.save(f"{name}.keras")
    model.save(f"{name}.h5")
    tf.train.Checkpoint(model=model).write(f"{name}-checkpoint")
    write_record(f"{name}.npz", model, x[:32])
expected = {name: net(x, training=False) for name, net in models.items()}
# --8<-- [end:setup]


# --8<-- [start:see]
def outcome(net, name, ending):
    try:
        if ending == "-checkpoint":
            tf.train.Checkpoint(model=net).read(name + ending)
        else:
            net.load_weights(name + ending)
    except ValueError:
        return "ValueError"
    off = np.max(np.abs(net(x, training=False) - expected[name]))
    return "OFF" if off > 0.1 else "equal" if off == 0 else "close"


endings = [".weights.h5", ".keras", ".h5", "-checkpoint"]
print(f"{'':24}" + "".join(f"{ending:13}" for ending in endings).rstrip())
for text, name, change in [
    ("nothing", "net", {}),
    ("called in other order", "net", {"called": (1, 0)}),
    ("epsilon in the class", "net", {"epsilon": 1e-5}),
    ("created b, a", "net", {"names": ("b", "a")}),
    ("a, b are called a, c", "net", {"names": ("a", "c")}),
    ("created norm_b, norm_a", "norms", {"names": ("norm_b", "norm_a")}),
    ("... norm_a, norm_c", "norms", {"names": ("norm_a", "norm_c")}),
]:
    cells = [outcome(build(**change), name, ending) for ending in endings]
    print(f"{text:24}" + "".join(f"{cell:13}" for cell in cells).rstrip())
# --8<-- [end:see]

# --8<-- [start:places]
for name in ["net", "norms"]:
    with h5py.File(f"{name}.weights.h5") as file:
        print(name, list(file))
        print("    layers:", list(file.get("layers", {})))


class Block(layers.Layer):
    def __init__(self):
        super().__init__()
        self.norm_b = layers.BatchNormalization()
        self.norm_a = layers.BatchNormalization()

    def call(self, x):
        return self.norm_b(self.norm_a(x))


keras.Sequential([keras.Input((4,)), Block()]).save_weights("b.weights.h5")
with h5py.File("b.weights.h5") as file:
    print("a layer of your own", list(file["layers/block"]))
# --8<-- [end:places]

# --8<-- [start:fix]
for names in [("norm_b", "norm_a"), ("norm_a", "norm_b")]:
    rebuilt = build(names=names)
    rebuilt.load_weights("norms.weights.h5")
    found = compare("norms.npz", rebuilt) or ["nothing differs"]
    print(f"created {names}", *found, sep="\n    ")
# --8<-- [end:fix]

# --8<-- [start:sure]
for called in [(0, 1), (1, 0)]:
    rebuilt = build(called=called)
    rebuilt.load_weights("net.weights.h5")
    print(f"called {called}", *compare("net.npz", rebuilt), sep="\n    ")
# --8<-- [end:sure]
