# --8<-- [start:data]
import warnings

import keras
import numpy as np
import tensorflow as tf

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

# --8<-- [start:axis]
for axis in [-1, 1]:
    layer = keras.layers.BatchNormalization(axis=axis, momentum=0.0)
    layer(x, training=True)
    print(f"axis={axis:2}  moving_mean: {layer.moving_mean.shape}")
# --8<-- [end:axis]

# --8<-- [start:length]
try:
    keras.Sequential(
        [
            keras.Input(shape=(None, 2)),
            keras.layers.BatchNormalization(axis=1, name="bn"),
        ]
    )
except ValueError as error:
    print("ValueError:", str(error).split(" for variable")[0])
# --8<-- [end:length]

# --8<-- [start:no_mask]
layer = keras.layers.BatchNormalization(momentum=0.0)
layer(x, training=True)
print(counted(layer.moving_mean, x))
# --8<-- [end:no_mask]

# --8<-- [start:mask]
layer(x, training=True, mask=valid)
print("mask=valid:", counted(layer.moving_mean, x))

layer(keras.layers.Masking()(x), training=True)
print("Masking:   ", counted(layer.moving_mean, x))

words = np.where(valid, np.random.randint(1, 100, size=valid.shape), 0)
vectors = keras.layers.Embedding(100, 2, mask_zero=True)(words)
layer(vectors, training=True)
print("Embedding: ", counted(layer.moving_mean, vectors.numpy()))
# --8<-- [end:mask]

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
model.compile(optimizer="adam", loss="mean_squared_error")
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


# --8<-- [start:between]
class Double(keras.layers.Layer):
    def call(self, h):
        return 2 * h


def try_between(name, between):
    inputs = keras.Input(shape=(10, 2))
    layer = keras.layers.BatchNormalization(momentum=0.0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        h = between(keras.layers.Masking()(inputs))
        net = keras.Model(inputs, [h, layer(h)])
        h, _ = net(x, training=True)
    warned = any("destroy the mask" in str(w.message) for w in caught)
    print(f"{name:15} {counted(layer.moving_mean, h.numpy()):13} {warned}")


print("                counted       warned")
try_between("Dense", keras.layers.Dense(3))
try_between("ReLU", keras.layers.ReLU())
try_between("LSTM", keras.layers.LSTM(3, return_sequences=True))
try_between("Conv1D", keras.layers.Conv1D(3, 3, padding="same"))
try_between("layer of yours", Double())
try_between("h + Dense(h)", lambda h: h + keras.layers.Dense(2)(h))
try_between("keras.ops.tanh", keras.ops.tanh)
try_between("Sequential", keras.Sequential([keras.layers.Dense(3)]))
# --8<-- [end:between]


# --8<-- [start:between_fix]
class MaskedDouble(Double):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True


try_between("layer of yours", MaskedDouble())
try_between(
    "h + Dense(h)",
    lambda h: keras.layers.Add()([h, keras.layers.Dense(2)(h)]),
)
try_between("keras.ops.tanh", keras.layers.Activation("tanh"))
# --8<-- [end:between_fix]

# --8<-- [start:conv]
inputs = keras.Input(shape=(10, 2))
mask = keras.ops.any(keras.ops.not_equal(inputs, 0), axis=-1)
h = keras.layers.Conv1D(3, 3, padding="same")(inputs)
layer = keras.layers.BatchNormalization(momentum=0.0, name="bn")
net = keras.Model(inputs, [h, layer(h, mask=mask)])

net.save("conv.keras")
reloaded = keras.saving.load_model("conv.keras")
for which in [net, reloaded]:
    h, _ = which(x, training=True)
    print(counted(which.get_layer("bn").moving_mean, h.numpy()))
# --8<-- [end:conv]

# --8<-- [start:value]
standardized = (x - 5) / 3  # the padding is now -5 / 3
layer = keras.layers.BatchNormalization(momentum=0.0)
layer(keras.layers.Masking()(standardized), training=True)
print(counted(layer.moving_mean, standardized))
# --8<-- [end:value]

# --8<-- [start:value_fix]
standardized[~valid] = 0
layer(keras.layers.Masking()(standardized), training=True)
print(counted(layer.moving_mean, standardized))
# --8<-- [end:value_fix]


# --8<-- [start:behind]
def padding(h):
    steps = np.unique(np.any(np.asarray(h)[~valid] != 0, axis=-1))
    return "other values" if steps.all() else "0"


masked = keras.layers.Masking()(x)
layer = keras.layers.BatchNormalization(momentum=0.0)
h = layer(masked, training=True)
print("padded steps before:", padding(masked))
print("padded steps behind:", padding(h))

found = keras.layers.Masking().compute_mask(h)
print("a Masking layer finds them:", np.array_equal(found, valid))
back = keras.ops.where(valid[..., None], h, 0)
found = keras.layers.Masking().compute_mask(back)
print("set back to 0, it finds them:", np.array_equal(found, valid))
# --8<-- [end:behind]

# --8<-- [start:empty]
layer = keras.layers.BatchNormalization(momentum=0.5)
layer(x, training=True, mask=valid)
mean, variance = layer.moving_mean.numpy(), layer.moving_variance.numpy()

layer(x, training=True, mask=np.zeros_like(valid))
print("moving_mean:    ", layer.moving_mean.numpy() / mean)
print("moving_variance:", layer.moving_variance.numpy() / variance)
# --8<-- [end:empty]

# --8<-- [start:empty_fix]
rows = np.concatenate([x[:32], np.zeros_like(x[:32])])
batches = tf.data.Dataset.from_tensor_slices(rows).batch(32)
kept = batches.filter(lambda batch: tf.reduce_any(batch != 0))
print("batches:", len(list(batches)), "kept:", len(list(kept)))
# --8<-- [end:empty_fix]


# --8<-- [start:per_step]
@keras.saving.register_keras_serializable()
class Cell(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.state_size = self.output_size = 2
        self.bn = keras.layers.BatchNormalization(momentum=0.9, name="bn")

    def build(self, shape):
        self.bn.build(shape)

    def call(self, x, states, training=False):
        h = self.bn(x, training=training) + states[0]
        return h, [h]


ones = np.ones((64, 10, 2), dtype="float32")
inner = keras.layers.BatchNormalization(momentum=0.9)
cell = Cell()
for name, layer, inside in [
    ("BatchNormalization", inner, inner),
    ("TimeDistributed", keras.layers.TimeDistributed(inner), inner),
    ("RNN", keras.layers.RNN(cell), cell.bn),
]:
    layer.build(ones.shape)
    inside.moving_mean.assign([0, 0])
    layer(ones, training=True)
    left = 1 - inside.moving_mean.numpy()[0]
    updates = np.log(left) / np.log(0.9)
    print(f"{name:18}  {left:.2f} left, {updates:.0f} updates")
# --8<-- [end:per_step]

# --8<-- [start:drift]
keras.utils.set_random_seed(0)
drift = np.random.normal(0, 1, size=(64, 10, 2)).astype("float32")
drift += 5 * np.arange(10).reshape(1, 10, 1)
for name, layer in {
    "TimeDistributed": keras.layers.TimeDistributed(
        keras.layers.BatchNormalization(momentum=0.9)
    ),
    "BatchNormalization": keras.layers.BatchNormalization(momentum=0.9),
}.items():
    call = tf.function(layer)  # quicker for many steps
    for _ in range(100):
        in_training_mode = call(drift, training=True)
    in_inference_mode = call(drift, training=False)
    gap = np.mean(np.abs(in_training_mode - in_inference_mode))
    print(f"{name:18}  modes differ by more than 1: {gap > 1}")
# --8<-- [end:drift]

# --8<-- [start:distributed_mask]
mask = np.tile(np.arange(10) < 5, (64, 1))
wrapped = keras.layers.BatchNormalization(momentum=0.9)
plain = keras.layers.BatchNormalization(momentum=0.9)
for layer in [keras.layers.TimeDistributed(wrapped), plain]:
    call = tf.function(layer)
    for _ in range(100):
        call(ones, training=True, mask=mask)
print("TimeDistributed:   ", wrapped.moving_mean.numpy().round(1))
print("BatchNormalization:", plain.moving_mean.numpy().round(1))
# --8<-- [end:distributed_mask]


# --8<-- [start:shared]
def shared():
    inputs = [keras.Input(shape=(2,)), keras.Input(shape=(2,))]
    layer = keras.layers.BatchNormalization(momentum=0.9, name="bn")
    return keras.Model(inputs, [layer(h) for h in inputs])


def gaps(net):
    call = tf.function(net)
    for _ in range(100):
        in_training_mode = call(branches, training=True)
    in_inference_mode = call(branches, training=False)
    return [
        bool(np.mean(np.abs(a - b)) > 0.5)
        for a, b in zip(in_training_mode, in_inference_mode)
    ]


keras.utils.set_random_seed(0)
branches = [
    np.random.normal(0, 1, size=(64, 2)).astype("float32"),
    np.random.normal(10, 1, size=(64, 2)).astype("float32"),
]
net = shared()
print("arrays:", len(net.weights))
print("modes differ:", gaps(net))
print("moving_mean:", net.get_layer("bn").moving_mean.numpy().round())
# --8<-- [end:shared]


# --8<-- [start:separate]
def separate():
    inputs = [keras.Input(shape=(2,)), keras.Input(shape=(2,))]
    return keras.Model(
        inputs,
        [
            keras.layers.BatchNormalization(momentum=0.9, name=f"bn{i}")(h)
            for i, h in enumerate(inputs)
        ],
    )


net = separate()
print("arrays:", len(net.weights))
print("modes differ:", gaps(net))
# --8<-- [end:separate]


# --8<-- [start:joined]
def joined():
    inputs = [keras.Input(shape=(2,)), keras.Input(shape=(2,))]
    h = keras.layers.Concatenate(axis=0)(inputs)
    h = keras.layers.BatchNormalization(momentum=0.9, name="bn")(h)
    return keras.Model(inputs, keras.ops.split(h, 2, axis=0))


net = joined()
print("arrays:", len(net.weights))
print("modes differ:", gaps(net))
# --8<-- [end:joined]


# --8<-- [start:structures]
def sequence(*layers):
    return keras.Sequential([keras.Input(shape=(10, 2)), *layers])


layers = keras.layers
structures = {
    "Masking": lambda: sequence(layers.Masking(), layers.BatchNormalization()),
    "TimeDistributed": lambda: sequence(
        layers.TimeDistributed(layers.BatchNormalization())
    ),
    "of a Sequential": lambda: sequence(
        layers.TimeDistributed(
            keras.Sequential([layers.Dense(2), layers.BatchNormalization()])
        )
    ),
    "Bidirectional": lambda: sequence(
        layers.Bidirectional(layers.LSTM(2, return_sequences=True)),
        layers.BatchNormalization(),
    ),
    "cell of an RNN": lambda: sequence(layers.RNN(Cell())),
    "shared": shared,
    "renorm": lambda: sequence(layers.BatchNormalization(renorm=True)),
}


def through(suffix, net, build):
    if suffix == "Checkpoint":
        reloaded = build()
        tf.train.Checkpoint(net).write("net")
        status = tf.train.Checkpoint(reloaded).read("net")
        status.assert_existing_objects_matched()
    elif suffix == ".weights.h5":
        reloaded = build()
        net.save_weights("net.weights.h5")
        reloaded.load_weights("net.weights.h5")
    else:
        net.save("net" + suffix)
        reloaded = keras.saving.load_model("net" + suffix)
    return reloaded


formats = [".keras", ".weights.h5", ".h5", "Checkpoint"]
print(f"{'':15}  tracked  .keras  .weights.h5  .h5    Checkpoint")
for name, build in structures.items():
    net = build()
    inputs = branches if name == "shared" else x
    net(inputs, training=True)
    tracked = sum(v.name.startswith("moving_") for v in net.weights)
    cells = []
    for suffix in formats:
        reloaded = through(suffix, net, build)
        equal = all(map(np.array_equal, net.weights, reloaded.weights))
        for a, b in zip(
            tf.nest.flatten(net(inputs, training=False)),
            tf.nest.flatten(reloaded(inputs, training=False)),
        ):
            equal = equal and np.array_equal(a, b)
        cells.append("equal" if equal else "lost")
    keras_file, weights, h5, checkpoint = cells
    print(
        f"{name:15}  {tracked:7}  {keras_file:6}  {weights:11}  {h5:5}  "
        f"{checkpoint}"
    )
# --8<-- [end:structures]

# --8<-- [start:renorm]
renorm, plain = structures["renorm"](), sequence(layers.BatchNormalization())
renorm(x, training=True)
renorm.save_weights("renorm.weights.h5")
try:
    plain.load_weights("renorm.weights.h5")
except ValueError as error:
    print("ValueError: ...", str(error).splitlines()[2].split("' ")[1])
# --8<-- [end:renorm]

# --8<-- [start:renorm_fix]
four = renorm.layers[-1].get_weights()[:4]
plain.layers[-1].set_weights(four)
np.testing.assert_allclose(
    renorm(x, training=False), plain(x, training=False), atol=1e-5
)
print("predictions equal within 1e-5")
# --8<-- [end:renorm_fix]

# --8<-- [start:config]
config = plain.layers[0].get_config()
print({key: config[key] for key in config if "renorm" in key})
# --8<-- [end:config]

# --8<-- [start:removed]
for arguments in [
    {"virtual_batch_size": 16},
    {"fused": False},
    {"adjustment": None},
    {"axis": [1, 2]},
]:
    try:
        keras.layers.BatchNormalization(**arguments)
    except (TypeError, ValueError) as error:
        print(f"{type(error).__name__}: {error}")
# --8<-- [end:removed]
