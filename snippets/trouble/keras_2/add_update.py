# --8<-- [start:old]
import keras
import numpy as np
from tensorflow.keras import backend as K


class Norm(keras.layers.Layer):
    def build(self, shape):
        self.mean = self.add_weight(
            name="mean", shape=shape[-1:], initializer="zeros", trainable=False
        )

    def call(self, x, training=None):
        batch = K.mean(x, axis=0)
        self.add_update(K.moving_average_update(self.mean, batch, 0.9))
        return K.in_train_phase(x - batch, x - self.mean, training)


# --8<-- [end:old]

# --8<-- [start:setup]
rows = np.random.default_rng(0).normal(5, 3, size=(64, 4)).astype("float32")


def calls_of(layer):
    """Return a model of the layer, and what is called on it."""
    net = keras.Sequential([keras.Input(shape=(4,)), layer])
    net.compile("sgd", "mse")
    return net, {
        "fit": lambda: net.fit(rows, rows, verbose=0),
        "predict": lambda: net.predict(rows, verbose=0),
        "evaluate": lambda: net.evaluate(rows, rows, verbose=0),
    }


def report(layer):
    """Say which calls move the mean, also when the layer is frozen."""
    net, calls = calls_of(layer)
    moved = []
    for name, call in [*calls.items(), ("frozen", calls["fit"])]:
        if name == "frozen":
            layer.trainable = False
            net.compile("sgd", "mse")
        before = layer.mean.numpy()
        call()
        if not np.array_equal(layer.mean, before):
            moved.append(name)
    print("moved by:", *moved)
    return net


# --8<-- [end:setup]

# --8<-- [start:see]
layer = Norm()
layer.build(rows.shape)
for _ in range(2):
    try:
        layer.call(keras.ops.convert_to_tensor(rows))
    except AttributeError as error:
        print("AttributeError:", str(error).rpartition("keras.")[2])
    layer.add_update = lambda update: None  # to see the next one
# --8<-- [end:see]

# --8<-- [start:write]
net = report(Norm())
outputs = net(rows, training=False)  # moves the mean, and then subtracts it
np.savez("old.npz", *net.get_weights(), outputs=outputs)
# --8<-- [end:write]


# --8<-- [start:fix]
@keras.saving.register_keras_serializable(package="mine")
class Ported(Norm):
    def call(self, x, training=False):
        if not training or not self.trainable:
            return x - self.mean
        batch = keras.ops.mean(x, axis=0)
        self.mean.assign(0.9 * self.mean + 0.1 * batch)
        return x - batch


# --8<-- [end:fix]

# --8<-- [start:ported]
report(Ported())
# --8<-- [end:ported]

# --8<-- [start:sure]
old = np.load("old.npz")
model, _ = calls_of(Ported())
model.set_weights([old["arr_0"]])
print("predicts as in Keras 2:", np.allclose(model(rows), old["outputs"]))
model.save("ported.keras")
np.savez("ported.npz", x=rows, outputs=model(rows))
# --8<-- [end:sure]

# --8<-- [start:reload]
loaded = keras.saving.load_model("ported.keras")
record = np.load("ported.npz")
print("equal:", np.array_equal(loaded(record["x"]), record["outputs"]))
# --8<-- [end:reload]
