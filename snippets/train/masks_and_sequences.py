# --8<-- [start:data]
import keras
import numpy as np

keras.utils.set_random_seed(0)
lengths = np.random.randint(2, 9, size=64)
valid = np.arange(10) < lengths[:, None]
x = np.random.normal(5, 3, size=(64, 10, 2)).astype("float32")
x[~valid] = 0  # padded at the end


def counted(mean, h):
    if np.allclose(mean, h[valid].mean(axis=0), rtol=1e-3, atol=1e-3):
        return "valid steps"
    if np.allclose(mean, h.mean(axis=(0, 1)), rtol=1e-3, atol=1e-3):
        return "padding, too"
    return "something else"


# --8<-- [end:data]

# --8<-- [start:train]
model = keras.Sequential(
    [
        keras.Input(shape=(None, 2)),
        keras.layers.Masking(),
        keras.layers.BatchNormalization(momentum=0.5, name="bn"),
        keras.layers.LSTM(4),
        keras.layers.Dense(1),
    ]
)
model.compile(optimizer="sgd", loss="mean_squared_error")
model.fit(x, x.sum(axis=(1, 2)), batch_size=64, epochs=12, verbose=0)
print(counted(model.get_layer("bn").moving_mean, x))
# --8<-- [end:train]

# --8<-- [start:save]
model.save("masked.keras")
np.savez(
    "expected.npz",
    *model.get_weights(),
    x=x,
    valid=valid,
    predictions=model(x, training=False),
)
# --8<-- [end:save]

# --8<-- [start:reload]
import keras
import numpy as np

loaded = keras.saving.load_model("masked.keras")
expected = np.load("expected.npz")

for i, array in enumerate(loaded.get_weights()):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
np.testing.assert_array_equal(
    loaded(expected["x"], training=False), expected["predictions"]
)
print(len(loaded.weights), "arrays equal, predictions equal")

shifted = np.where(expected["valid"][..., None], expected["x"] + 7, 0)
loaded_layer = loaded.get_layer("bn")
loaded_layer.momentum = 0.0
loaded(shifted, training=True)
np.testing.assert_allclose(
    loaded_layer.moving_mean,
    shifted[expected["valid"]].mean(axis=0),
    rtol=1e-3,
)
print("padding left out")
# --8<-- [end:reload]

# --8<-- [start:mask]
layer = keras.layers.BatchNormalization(momentum=0.0)
layer(x, training=True)
print("no mask:   ", counted(layer.moving_mean, x))

layer(x, training=True, mask=valid)
print("mask=valid:", counted(layer.moving_mean, x))

layer(x, training=True)
layer(keras.layers.Masking()(x), training=True)
print("Masking:   ", counted(layer.moving_mean, x))

words = np.where(valid, np.random.randint(1, 100, size=valid.shape), 0)
vectors = keras.layers.Embedding(100, 2, mask_zero=True)(words)
layer(vectors, training=True)
print("Embedding: ", counted(layer.moving_mean, vectors.numpy()))
# --8<-- [end:mask]


# --8<-- [start:structures]
import tensorflow as tf
from keras import layers


@keras.saving.register_keras_serializable()
class Cell(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.state_size = self.output_size = 2
        self.bn = layers.BatchNormalization()

    def build(self, shape):
        self.bn.build(shape)

    def call(self, x, states, training=False):
        h = self.bn(x, training=training) + states[0]
        return h, [h]


def functional():
    inputs = keras.Input(shape=(10, 2))
    h = layers.BatchNormalization()(layers.Masking()(inputs))
    return keras.Model(inputs, h)


def shared():
    inputs, bn = keras.Input(shape=(10, 2)), layers.BatchNormalization()
    halves = [layers.Cropping1D(ends)(inputs) for ends in [(0, 5), (5, 0)]]
    return keras.Model(inputs, [bn(half) for half in halves])


structures = {
    "Masking": lambda: [layers.Masking(), layers.BatchNormalization()],
    "  functional": functional,
    "TimeDistributed": lambda: [
        layers.TimeDistributed(layers.BatchNormalization())
    ],
    "of a Sequential": lambda: [
        layers.TimeDistributed(
            keras.Sequential([layers.Dense(2), layers.BatchNormalization()])
        )
    ],
    "Bidirectional": lambda: [
        layers.Bidirectional(layers.LSTM(2, return_sequences=True)),
        layers.BatchNormalization(),
    ],
    "cell of an RNN": lambda: [layers.RNN(Cell())],
    "shared": shared,
    "renorm": lambda: [layers.BatchNormalization(renorm=True)],
}


def build(name):
    found = structures[name]()
    if isinstance(found, list):
        return keras.Sequential([keras.Input(shape=(10, 2)), *found])
    return found


# --8<-- [end:structures]


# --8<-- [start:formats]
def through(suffix, net, name):
    if suffix in [".keras", ".h5"]:
        net.save("net" + suffix)
        return keras.saving.load_model("net" + suffix)
    reloaded = build(name)
    if suffix == ".weights.h5":
        net.save_weights("net.weights.h5")
        reloaded.load_weights("net.weights.h5")
    else:
        tf.train.Checkpoint(net).write("net")
        status = tf.train.Checkpoint(reloaded).read("net")
        status.assert_existing_objects_matched()
    return reloaded


print(f"{'':15}  tracked  .keras  .weights.h5  .h5    Checkpoint")
for name in structures:
    net = build(name)
    net(x, training=True)
    outputs = tf.nest.flatten(net(x, training=False))
    tracked = sum(v.name.startswith("moving_") for v in net.weights)
    cells = []
    for suffix in [".keras", ".weights.h5", ".h5", "Checkpoint"]:
        try:
            reloaded = through(suffix, net, name)
        except ValueError:
            cells.append("fails")
            continue
        pairs = [(net.weights, reloaded.weights)]
        pairs += [(outputs, tf.nest.flatten(reloaded(x, training=False)))]
        equal = all(all(map(np.array_equal, *pair)) for pair in pairs)
        cells.append("equal" if equal else "lost")
    print(
        f"{name:15}  {tracked:7}  {cells[0]:6}  {cells[1]:11}  "
        f"{cells[2]:5}  {cells[3]}"
    )
# --8<-- [end:formats]
