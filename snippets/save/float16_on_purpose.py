# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
x = np.random.normal(loc=5, scale=3, size=(1024, 8)).astype("float32")
y = (x[:, 0] > x[:, 1]).astype("float32")


def make_model():
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.BatchNormalization(name="bn", momentum=0.9),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )


model = make_model()
model.compile(keras.optimizers.SGD(0.3), "binary_crossentropy")
model.fit(x, y, epochs=4, verbose=0)
predictions = model(x, training=False).numpy()


def bn_equal(net):
    pairs = [each.get_layer("bn").get_weights() for each in (model, net)]
    return all(map(np.array_equal, *pairs))


# --8<-- [end:setup]


# --8<-- [start:keep]
def make_half():
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.BatchNormalization(
                name="bn", momentum=0.9, dtype="float32"
            ),
            keras.layers.Dense(16, activation="relu", dtype="float16"),
            keras.layers.Dense(1, activation="sigmoid", dtype="float16"),
        ]
    )


half = make_half()
half.set_weights(model.get_weights())
half.save("half.keras")
# --8<-- [end:keep]

# --8<-- [start:prove]
loaded = keras.saving.load_model("half.keras")
print("types:", *(str(array.dtype) for array in loaded.weights))
print("the four arrays equal:", bn_equal(loaded), "new:", bn_equal(make_half()))

answers = loaded(x, training=False).numpy()
print("within 0.02:", np.abs(answers - predictions).max() < 0.02)
print("accuracy at least 0.95:", np.mean((answers[:, 0] > 0.5) == y) >= 0.95)
np.savez("expected.npz", x=x, answers=answers)
# --8<-- [end:prove]

# --8<-- [start:reload]
import keras
import numpy as np

expected = np.load("expected.npz")
again = keras.saving.load_model("half.keras")
np.testing.assert_allclose(
    again(expected["x"], training=False), expected["answers"], atol=1e-3
)
print("equal, in a process that did not save")
# --8<-- [end:reload]

# --8<-- [start:quantize]
for mode in ["int8", "int4", "float8"]:
    quantized = keras.models.clone_model(model)
    quantized.set_weights(model.get_weights())
    quantized.quantize(mode)
    quantized.save("quantized.keras")
    loaded = keras.saving.load_model("quantized.keras")
    print(f"{mode:6} the four arrays equal: {bn_equal(loaded)}", end=" in ")
    print(loaded.get_layer("bn").moving_mean.dtype)
# --8<-- [end:quantize]

# --8<-- [start:dtypes]
import io
import zipfile

import h5py

policies = [
    "float32",
    "mixed_float16",
    "mixed_bfloat16",
    "float16",
    "bfloat16",
]
built = {}
for policy in policies:
    keras.mixed_precision.set_global_policy(policy)
    net = built[policy] = make_model()
    for _ in range(5):
        net(x, training=True)
    in_memory = {array.dtype for array in net.get_layer("bn").weights}

    net.save(f"{policy}.keras")
    with zipfile.ZipFile(f"{policy}.keras") as archive:
        weights = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(weights) as file:
        group = file["layers/batch_normalization/vars"]
        in_keras = {str(array.dtype) for array in group.values()}

    path = tf.train.Checkpoint(model=net).write(policy)
    types = tf.train.load_checkpoint(path).get_variable_to_dtype_map()
    in_checkpoint = {types[key].name for key in types if "moving" in key}

    print(f"{policy:15} memory", *in_memory, end="  ")
    print(".keras", *in_keras, " Checkpoint", *in_checkpoint)
keras.mixed_precision.set_global_policy("float32")
# --8<-- [end:dtypes]


# --8<-- [start:across]
checkpoint_of = {
    "model=": lambda net: tf.train.Checkpoint(model=net),
    "arrays=": lambda net: tf.train.Checkpoint(arrays=net.variables),
}


def outcome(way, source, target):
    keras.mixed_precision.set_global_policy(target)
    net = make_model()
    try:
        if way in checkpoint_of:
            status = checkpoint_of[way](net).read(source + way)
            status.assert_consumed()
        else:
            net.load_weights(source + way)
    except (ValueError, tf.errors.InvalidArgumentError) as error:
        if way in checkpoint_of:
            said = str(error).splitlines()[0].partition("; ")[2]
            messages.add(f"{type(error).__name__}: {said}")
        return "fails"
    arrays = zip(net.get_weights(), built[source].get_weights(), strict=True)
    pairs = [[array.astype("float32") for array in pair] for pair in arrays]
    if all(np.array_equal(*pair) for pair in pairs):
        return "equal"
    close = all(np.allclose(*pair, rtol=0.01) for pair in pairs)
    return "rounded" if close else "wrong"


moves = [
    ("mixed_float16", "float32"),
    ("float32", "mixed_float16"),
    ("float32", "float16"),
    ("float16", "float32"),
    ("bfloat16", "float32"),
    ("bfloat16", "bfloat16"),
]
for source, _ in moves:
    built[source].save_weights(f"{source}.weights.h5")
    built[source].save(f"{source}.h5")
    for way, checkpoint in checkpoint_of.items():
        checkpoint(built[source]).write(source + way)

messages = set()
ways = [".weights.h5", ".h5", *checkpoint_of]
print(" " * 52 + "tf.train.Checkpoint")
print(f"{'saved':14} {'loaded into':13} .weights.h5 .h5", end=" " * 9)
print("model=      arrays=")
for source, target in moves:
    cells = [f"{outcome(way, source, target):11}" for way in ways]
    print(f"{source:14} {target:13}", *cells[:-1], cells[-1].rstrip())
print("fails with:", *sorted(messages), sep="\n    ")
keras.mixed_precision.set_global_policy("float32")
# --8<-- [end:across]
