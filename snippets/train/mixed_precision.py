# --8<-- [start:model]
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
            keras.layers.Dense(1, activation="sigmoid", dtype="float32"),
        ]
    )


# --8<-- [end:model]

# --8<-- [start:train]
keras.mixed_precision.set_global_policy("mixed_float16")
model = make_model()
model.compile(
    keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"]
)
model.fit(x, y, epochs=4, verbose=0)

bn = model.get_layer("bn")
print("outputs:", bn.compute_dtype, "arrays:", bn.moving_mean.dtype)
print("optimizer:", type(model.optimizer).__name__)
# --8<-- [end:train]

# --8<-- [start:save]
from bn_tools import write_record

model.save("mixed.keras")
write_record("mixed.npz", model, x[:32])
# --8<-- [end:save]

# --8<-- [start:load]
keras.mixed_precision.set_global_policy("mixed_float16")  # before loading
reloaded = keras.saving.load_model("mixed.keras")
# --8<-- [end:load]

# --8<-- [start:prove]
from bn_tools import compare

print("an untrained one differs:", len(compare("mixed.npz", make_model())) > 0)
print("the loaded one differs:  ", compare("mixed.npz", reloaded))
print("optimizer:", type(reloaded.optimizer).__name__, "at step", end=" ")
print(int(reloaded.optimizer.iterations), "of", int(model.optimizer.iterations))
# --8<-- [end:prove]

# --8<-- [start:reload]
import keras
from bn_tools import compare

for policy in ["float32", "mixed_float16"]:
    keras.mixed_precision.set_global_policy(policy)
    loaded = keras.saving.load_model("mixed.keras")
    print(f"policy {policy}:")
    print("  ", *compare("mixed.npz", loaded)[-1:] or ["nothing differs"])
# --8<-- [end:reload]

# --8<-- [start:other_policy]
import warnings

predictions = model.predict(x, verbose=0)
for policy in ["float32", "mixed_float16"]:
    keras.mixed_precision.set_global_policy(policy)
    with warnings.catch_warnings(record=True, action="always") as caught:
        loaded = keras.saving.load_model("mixed.keras")
    print(f"global policy {policy}, warnings: {len(caught)}")
    same = np.array_equal(loaded.predict(x, verbose=0), predictions)
    print("  layer:", loaded.get_layer("bn").dtype_policy.name, end="  ")
    print("predictions equal:", same)
    print("  optimizer:", type(loaded.optimizer).__name__, end=" ")
    print("at step", int(loaded.optimizer.iterations))
# --8<-- [end:other_policy]

# --8<-- [start:explicit]
scaled = keras.models.clone_model(model)
scaled.compile(
    keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01)),
    "binary_crossentropy",
    run_eagerly=True,
)
scaled.fit(x[:64], y[:64], verbose=0)
scaled.save("scaled.keras")

keras.mixed_precision.set_global_policy("float32")
again = keras.saving.load_model("scaled.keras")
print("optimizer:", type(again.optimizer).__name__, end=" ")
print("at step", int(again.optimizer.iterations))
# --8<-- [end:explicit]


# --8<-- [start:loop]
def own_loop(optimizer, scale=True, factor=1.0, policy="mixed_float16"):
    keras.mixed_precision.set_global_policy(policy)
    keras.utils.set_random_seed(0)
    net = make_model()
    kernel = net.layers[1].kernel
    before, zeros = kernel.numpy(), []
    optimizer.build(net.trainable_variables)
    for rows in np.split(np.arange(1024), 8):
        with tf.GradientTape() as tape:
            outputs = net(x[rows], training=True)
            loss = keras.losses.binary_crossentropy(y[rows, None], outputs)
            loss = factor * tf.reduce_mean(loss)
            scaled = optimizer.scale_loss(loss) if scale else loss
        arrays = net.trainable_variables
        gradients = tape.gradient(scaled, arrays)
        zeros.append(np.mean(gradients[2].numpy() == 0))
        optimizer.apply(gradients, arrays)
    keras.mixed_precision.set_global_policy("float32")
    moved = np.abs(kernel.numpy() - before).max()
    return {
        "the kernel moves": moved > 0.01,
        "many are 0": np.mean(zeros) > 0.1,
    }


def sgd():
    return keras.optimizers.SGD(0.1)


def loss_scaling():
    return keras.optimizers.LossScaleOptimizer(sgd())


print("SGD under mixed_float16: the kernel moves")
for scale in [True, False]:
    moves = own_loop(loss_scaling(), scale)["the kernel moves"]
    print(f"  LossScaleOptimizer, scale_loss {scale!s:5} {moves}")

print("a small loss, 1e-5 of it: many gradients are exactly 0")
for name, optimizer, policy in [
    ("SGD alone", sgd(), "mixed_float16"),
    ("LossScaleOptimizer, scale_loss", loss_scaling(), "mixed_float16"),
    ("SGD alone, mixed_bfloat16", sgd(), "mixed_bfloat16"),
    ("SGD alone, float32", sgd(), "float32"),
]:
    zeros = own_loop(optimizer, factor=1e-5, policy=policy)["many are 0"]
    print(f"  {name:36} {zeros}")
# --8<-- [end:loop]

# --8<-- [start:serve]
served = make_model()  # the global policy is float32
served.load_weights("mixed.keras")

for array in ["gamma", "beta", "moving_mean", "moving_variance"]:
    np.testing.assert_array_equal(
        getattr(served.get_layer("bn"), array), getattr(bn, array)
    )
print("policy:", served.get_layer("bn").dtype_policy.name, "- arrays equal")


def judge(name, answers):
    close = np.abs(answers - predictions).max() < 0.02
    accuracy = np.mean((np.ravel(answers) > 0.5) == y)
    print(f"{name}: within 0.02: {close}", end="  ")
    print("accuracy at least 0.95:", accuracy >= 0.95)


answers = served(x, training=False)
print("predictions equal:", np.array_equal(answers, predictions))
judge("float32", answers)
# --8<-- [end:serve]


# --8<-- [start:in_float32]
import json
import zipfile

import keras
from bn_tools import layers_in

HALF = ["float16", "bfloat16", "mixed_float16", "mixed_bfloat16"]


def in_float32(file):
    """Load a .keras file for inference, with all of its layers in float32.

    Raises:
        ValueError: A class of your own fixes another type in its code, or the
            file holds more than arrays (a vocabulary, for example).
    """

    def changed(value, key=None):
        if isinstance(value, list):
            return [changed(each) for each in value]
        if isinstance(value, dict):
            if value.get("class_name") == "DTypePolicy":
                return changed(value["config"]["name"], key)
            return {key: changed(each, key) for key, each in value.items()}
        return "float32" if key == "dtype" and value in HALF else value

    with zipfile.ZipFile(file) as archive:
        if any(name.startswith("assets/") for name in archive.namelist()):
            raise ValueError("the file holds assets, which are not copied here")
        config = json.loads(archive.read("config.json"))
    config.pop("compile_config", None)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")  # for layers inside classes
    try:
        model = keras.saving.deserialize_keras_object(changed(config))
    finally:
        keras.config.set_dtype_policy(policy)
    model.load_weights(file)
    layers = layers_in(model, {}).values()
    left = [layer.name for layer in layers if layer.compute_dtype in HALF]
    if left:
        raise ValueError(f"not in float32, as their class says so: {left}")
    return model


# --8<-- [end:in_float32]


# --8<-- [start:nested]
@keras.saving.register_keras_serializable()
class Half(keras.layers.Dense):
    def __init__(self, units, **kwargs):
        super().__init__(units, **{**kwargs, "dtype": "mixed_float16"})


def mixed_layers(model):
    found = layers_in(model, {}).values()
    return sum(layer.compute_dtype == "float16" for layer in found)


keras.mixed_precision.set_global_policy("mixed_float16")
inputs = keras.Input(shape=(5, 8))
steps = keras.layers.TimeDistributed(keras.models.clone_model(model))(inputs)
both = keras.layers.Bidirectional(keras.layers.GRU(4))(steps)
nested = keras.Model(inputs, both)
keras.mixed_precision.set_global_policy("float32")
nested.save("nested.keras")
print(
    "mixed layers:",
    mixed_layers(nested) > 0,
    mixed_layers(in_float32("nested.keras")),
)

keras.Sequential([keras.Input(shape=(8,)), Half(1, name="half")]).save(
    "half.keras"
)
try:
    in_float32("half.keras")
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:nested]

# --8<-- [start:export]
model.export("exported", verbose=False)
exported = tf.saved_model.load("exported")
print("takes and returns", exported.serve(x).dtype.name)
judge("export", exported.serve(x))
# --8<-- [end:export]

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
    for _ in range(20):
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
def outcome(way, source, target):
    keras.mixed_precision.set_global_policy(target)
    net = make_model()
    try:
        if way == "Checkpoint":
            tf.train.Checkpoint(model=net).read(source)
        else:
            net.load_weights(source + way)
    except (ValueError, tf.errors.InvalidArgumentError):
        return "fails"
    arrays = zip(net.get_weights(), built[source].get_weights(), strict=True)
    pairs = [[array.astype("float32") for array in pair] for pair in arrays]
    if all(np.array_equal(*pair) for pair in pairs):
        return "equal"
    close = all(np.allclose(*pair, rtol=0.01) for pair in pairs)
    return "rounded" if close else "wrong"


moves = [
    ("mixed_float16", "float32"),
    ("float32", "float16"),
    ("float16", "float32"),
    ("bfloat16", "float32"),
    ("bfloat16", "bfloat16"),
]
for source, _ in moves:
    built[source].save_weights(f"{source}.weights.h5")
    built[source].save(f"{source}.h5")

ways = [".weights.h5", ".h5", "Checkpoint"]
print(f"{'saved':14} {'loaded into':12} .weights.h5 .h5         Checkpoint")
for source, target in moves:
    cells = [f"{outcome(way, source, target):11}" for way in ways]
    print(f"{source:14} {target:12}", *cells[:-1], cells[-1].rstrip())
keras.mixed_precision.set_global_policy("float32")
# --8<-- [end:across]


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
loaded = keras.saving.load_model("half.keras")

print("types:", *(str(array.dtype) for array in loaded.weights))
for array in ["gamma", "beta", "moving_mean", "moving_variance"]:
    np.testing.assert_array_equal(
        getattr(loaded.get_layer("bn"), array), getattr(bn, array)
    )
print("the four arrays equal")
judge("float16", loaded(x, training=False))
# --8<-- [end:keep]

# --8<-- [start:quantize]
for mode in ["int8", "int4", "float8"]:
    quantized = keras.models.clone_model(served)
    quantized.set_weights(served.get_weights())
    quantized.quantize(mode)
    quantized.save("quantized.keras")
    loaded = keras.saving.load_model("quantized.keras")
    for array in ["gamma", "beta", "moving_mean", "moving_variance"]:
        np.testing.assert_array_equal(
            getattr(loaded.get_layer("bn"), array), getattr(bn, array)
        )
    moving_mean = loaded.get_layer("bn").moving_mean
    print(f"{mode:6} the four arrays equal, in {moving_mean.dtype}")
# --8<-- [end:quantize]

# --8<-- [start:not_quantized]
quantized.save_weights("quantized.weights.h5")
for name, net in {"quantized": loaded, "not quantized": served}.items():
    try:
        net.load_weights("quantized.weights.h5")
        print(f"{name}: loaded")
    except ValueError as error:
        print(f"{name}: ValueError:", str(error).split(". ")[0])
# --8<-- [end:not_quantized]

# --8<-- [start:stopped]
pair = tf.constant([[17.0], [23.0]])  # mean 20, variance 9
for policy in ["mixed_float16", "mixed_bfloat16", "float16", "bfloat16"]:
    layer = keras.layers.BatchNormalization(dtype=policy)
    layer.build(pair.shape)
    step = tf.function(layer)
    for _ in range(500):
        step(pair, training=True)
    mean = layer.moving_mean.numpy().item()
    below, above = layer(pair, training=False).numpy().ravel()
    print(f"{policy:14} moving_mean {mean:.1f}  17 is below it: {below < 0}")
# --8<-- [end:stopped]

# --8<-- [start:overflow]
wide = tf.constant([[-1000.0], [1000.0]])  # variance 1,000,000
arrays = [np.array([number]) for number in [1.0, 0.0, 0.0, 1e6]]
for policy in ["mixed_float16", "float16"]:
    layer = keras.layers.BatchNormalization(dtype=policy)
    for _ in range(20):
        layer(wide, training=True)
    trained = np.isfinite(layer.moving_variance.numpy()).all()
    outputs = layer(wide, training=False).numpy().ravel()
    layer.set_weights(arrays)
    loaded = np.isfinite(layer.moving_variance.numpy()).all()
    print(f"{policy:13} variance finite: trained {trained}, loaded {loaded}")
    print(f"{'':13} outputs all 0:", not outputs.any())
# --8<-- [end:overflow]

# --8<-- [start:compiled]
path = tf.train.Checkpoint(model=model).save("compiled/net")
for compiled in [True, False]:
    net = make_model()
    if compiled:
        net.compile("adam", "binary_crossentropy")
        net.optimizer.build(net.trainable_variables)
    try:
        status = tf.train.Checkpoint(model=net).restore(path)
        status.assert_existing_objects_matched()
        judge("not compiled", net(x, training=False))
    except tf.errors.InvalidArgumentError as error:
        reason = error.message.partition("VARIABLE_VALUE; ")[-1]
        print("compiled:", reason.partition(" [")[0])
# --8<-- [end:compiled]

# --8<-- [start:floatx]
import keras

keras.config.set_floatx("float16")
model = keras.Sequential(
    [keras.Input(shape=(8,)), keras.layers.BatchNormalization(name="bn")]
)
model.compile("adam", "mse")
print("policy:", model.get_layer("bn").dtype_policy.name)
print("moving_mean:", model.get_layer("bn").moving_mean.dtype)
print("optimizer:", type(model.optimizer).__name__)

model.save("floatx.keras")
keras.config.set_floatx("float32")
again = keras.saving.load_model("floatx.keras")
print("loaded again:", again.get_layer("bn").moving_mean.dtype)
# --8<-- [end:floatx]
