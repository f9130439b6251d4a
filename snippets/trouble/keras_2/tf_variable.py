# --8<-- [start:layer]
import keras
import numpy as np
import tensorflow as tf


@keras.saving.register_keras_serializable(package="mine")
class Norm(keras.layers.Layer):
    """Keeps moving statistics itself, in variables of TensorFlow."""

    def build(self, shape):
        self.mean = tf.Variable(tf.zeros(shape[-1:]), trainable=False)
        self.variance = tf.Variable(tf.ones(shape[-1:]), trainable=False)

    def call(self, x, training=False):
        mean, variance = self.mean, self.variance
        if training and self.trainable:
            mean, variance = tf.nn.moments(x, axes=[0])
            for old, new in [(self.mean, mean), (self.variance, variance)]:
                old.assign(0.9 * old + 0.1 * new)
        return (x - mean) / tf.sqrt(variance + 1e-3)


# --8<-- [end:layer]


# --8<-- [start:setup]
keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(256, 4)).astype("float32")


def build(norm):
    layers = [keras.Input(shape=(4,)), norm(), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.compile("sgd", "mse")
    return model


def report(norm):
    model = build(norm)
    model.fit(x, x[:, :1], epochs=5, verbose=0)
    name = norm.__name__
    model.save(f"{name}.keras")
    model.save_weights(f"{name}.weights.h5")
    tf.train.Checkpoint(model=model).write(f"folder/{name}")

    loaded = [keras.saving.load_model(f"{name}.keras"), build(norm)]
    loaded[1].load_weights(f"{name}.weights.h5")
    loaded.append(build(norm))
    tf.train.Checkpoint(model=loaded[2]).read(f"folder/{name}")
    expected = model(x, training=False)
    print(f"{name}: {len(model.weights)} arrays", end="")
    for way, other in zip([".keras", ".weights.h5", "checkpoint"], loaded):
        same = np.array_equal(expected, other(x, training=False))
        print(f", {way}: {'equal' if same else 'lost'}", end="")
    print()
    np.savez(f"{name}.npz", x=x, expected=expected)
    return model


# --8<-- [end:setup]

# --8<-- [start:see]
model = report(Norm)
# --8<-- [end:see]

# --8<-- [start:keras_2]
import keras
import tensorflow as tf


class Norm(keras.layers.Layer):
    def build(self, shape):
        self.mean = tf.Variable(tf.zeros(shape[-1:]), trainable=False)
        self.variance = tf.Variable(tf.ones(shape[-1:]), trainable=False)


nets = [keras.Sequential([keras.Input(shape=(4,)), Norm()]) for _ in "ab"]
nets[0].layers[0].mean.assign(tf.fill((4,), 5.0))
nets[0].save_weights("old.weights.h5")
nets[1].load_weights("old.weights.h5")
print("arrays:", len(nets[1].weights))
print("loaded:", nets[1].layers[0].mean.numpy())
# --8<-- [end:keras_2]


# --8<-- [start:kept]
@keras.saving.register_keras_serializable(package="mine")
class Kept(Norm):
    def build(self, shape):
        self.mean = self.add_weight(
            name="mean", shape=shape[-1:], initializer="zeros", trainable=False
        )
        self.variance = self.add_weight(
            name="variance",
            shape=shape[-1:],
            initializer="ones",
            trainable=False,
        )


# --8<-- [end:kept]

# --8<-- [start:fix]
report(Kept)
# --8<-- [end:fix]


# --8<-- [start:sure]
from bn_tools import layers_in


def holds_variable(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return any(map(holds_variable, value))
    return isinstance(value, tf.Variable)


def untracked(model):
    """Return where layers keep a tf.Variable, which Keras 3 does not save."""
    return [
        f"{layer.name}.{attribute}"
        for layer in layers_in(model, {}).values()
        for attribute, value in vars(layer).items()
        if holds_variable(value) and not attribute.startswith("_self_")
    ]


print(untracked(model))
print(untracked(build(Kept)))
# --8<-- [end:sure]

# --8<-- [start:reload]
for name in ["Norm", "Kept"]:
    record = np.load(f"{name}.npz")
    loaded = keras.saving.load_model(f"{name}.keras")
    same = np.array_equal(loaded(record["x"]), record["expected"])
    print(f"{name}.keras equal:", same)
# --8<-- [end:reload]
