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
model.save("mixed.keras")
# --8<-- [end:save]

# --8<-- [start:load]
keras.mixed_precision.set_global_policy("mixed_float16")  # before loading
reloaded = keras.saving.load_model("mixed.keras")
# --8<-- [end:load]

# --8<-- [start:prove]
start = make_model().get_layer("bn")
for array in ["gamma", "beta", "moving_mean", "moving_variance"]:
    first, saved, loaded = (
        getattr(layer, array).numpy()
        for layer in [start, bn, reloaded.get_layer("bn")]
    )
    learned = not np.array_equal(saved, first)
    print(f"{array:16} {loaded.dtype} learned: {learned}", end="  ")
    print("equal:", np.array_equal(saved, loaded))

predictions = model.predict(x, verbose=0)
np.testing.assert_array_equal(reloaded.predict(x, verbose=0), predictions)
accuracy = np.mean((predictions[:, 0] > 0.5) == y)
print("predictions equal, accuracy at least 0.95:", accuracy >= 0.95)
# --8<-- [end:prove]

# --8<-- [start:optimizer]
for name in ["iterations", "step_counter", "dynamic_scale"]:
    saved, loaded = (
        getattr(net.optimizer, name).numpy() for net in [model, reloaded]
    )
    print(f"{name:13} equal: {saved == loaded}")
# --8<-- [end:optimizer]

# --8<-- [start:expect]
np.savez(
    "expected.npz",
    *model.get_weights(),
    x=x,
    predictions=predictions,
    steps=model.optimizer.iterations.numpy(),
)
# --8<-- [end:expect]

# --8<-- [start:reload]
import keras
import numpy as np

keras.mixed_precision.set_global_policy("mixed_float16")
loaded = keras.saving.load_model("mixed.keras")
expected = np.load("expected.npz")

for i, array in enumerate(loaded.get_weights()):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
np.testing.assert_array_equal(
    loaded.predict(expected["x"], verbose=0), expected["predictions"]
)
assert loaded.optimizer.iterations.numpy() == expected["steps"]
print("arrays, predictions and steps equal, in a process that did not save")
# --8<-- [end:reload]

# --8<-- [start:other_policy]
import warnings

keras.mixed_precision.set_global_policy("float32")
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    elsewhere = keras.saving.load_model("mixed.keras")

print(*(str(warning.message).strip() for warning in caught))
print("layer:", elsewhere.get_layer("bn").dtype_policy.name)
np.testing.assert_array_equal(elsewhere.predict(x, verbose=0), predictions)
print("predictions equal")
print("optimizer:", type(elsewhere.optimizer).__name__, end=" ")
print("at step", int(elsewhere.optimizer.iterations))
# --8<-- [end:other_policy]

# --8<-- [start:explicit]
scaled = keras.models.clone_model(model)
scaled.compile(
    keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01)),
    "binary_crossentropy",
)
scaled.fit(x[:320], y[:320], verbose=0)
scaled.save("scaled.keras")

again = keras.saving.load_model("scaled.keras")
print("global policy:", keras.mixed_precision.dtype_policy().name)
print("optimizer:", type(again.optimizer).__name__, end=" ")
print("at step", int(again.optimizer.iterations))
# --8<-- [end:explicit]

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

    print(f"{policy:14} memory {in_memory!s:12}", end="  ")
    print(f".keras {in_keras!s:11}  Checkpoint {in_checkpoint}")
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
    except (ValueError, tf.errors.InvalidArgumentError) as error:
        reason = str(error).partition("VARIABLE_VALUE; ")[-1] or str(error)
        messages[way] = f"{type(error).__name__}: {reason.splitlines()[0]}"
        return "fails"
    pairs = [
        (loaded.astype("float32"), saved.astype("float32"))
        for loaded, saved in zip(
            net.get_weights(), built[source].get_weights(), strict=True
        )
    ]
    if all(np.array_equal(loaded, saved) for loaded, saved in pairs):
        return "equal"
    close = all(np.allclose(*arrays, rtol=0.01) for arrays in pairs)
    return "rounded" if close else "wrong"


messages = {}
policies.remove("mixed_bfloat16")  # as mixed_float16
for source in policies:
    built[source].save_weights(f"{source}.weights.h5")
    built[source].save(f"{source}.h5")

print(f"{'saved from':21} into:", *(f"{policy:>13}" for policy in policies))
for way in [".weights.h5", ".h5", "Checkpoint"]:
    for source in policies:
        cells = [f"{outcome(way, source, target):>13}" for target in policies]
        print(f"{way:11} {source:15}", *cells)
keras.mixed_precision.set_global_policy("float32")
# --8<-- [end:across]

# --8<-- [start:messages]
for way, message in messages.items():
    print(f"{way}: {message}")
# --8<-- [end:messages]

# --8<-- [start:serve]
served = make_model()  # the global policy is float32
served.load_weights("mixed.keras")

for array in ["gamma", "beta", "moving_mean", "moving_variance"]:
    np.testing.assert_array_equal(
        getattr(served.get_layer("bn"), array), getattr(bn, array)
    )
print("policy:", served.get_layer("bn").dtype_policy.name, "- arrays equal")


def compare(name, answers):
    close = np.abs(answers - predictions).max() < 0.02
    accuracy = np.mean((np.ravel(answers) > 0.5) == y)
    print(f"{name}: within 0.02: {close}", end="  ")
    print("accuracy at least 0.95:", accuracy >= 0.95)


answers = served(x, training=False)
print("predictions equal:", np.array_equal(answers, predictions))
compare("float32", answers)
# --8<-- [end:serve]


# --8<-- [start:clone]
def in_float32(layer):
    config = layer.get_config()
    config["dtype"] = "float32"
    return type(layer).from_config(config)


cloned = keras.models.clone_model(elsewhere, clone_function=in_float32)
cloned.set_weights(elsewhere.get_weights())
np.testing.assert_array_equal(
    cloned(x, training=False), served(x, training=False)
)
print("the same float32 model")
# --8<-- [end:clone]

# --8<-- [start:export]
model.export("exported", verbose=False)
exported = tf.saved_model.load("exported")
print("takes and returns", exported.serve(x).dtype.name)
compare("export", exported.serve(x))
# --8<-- [end:export]


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
compare("float16", loaded(x, training=False))
# --8<-- [end:keep]

# --8<-- [start:quantize]
for mode in ["int8", "int4", "float8"]:
    quantized = keras.models.clone_model(cloned)
    quantized.set_weights(cloned.get_weights())
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
try:
    cloned.load_weights("quantized.weights.h5")
except ValueError as error:
    print("ValueError:", str(error).split(". ")[0])
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
for policy in ["mixed_float16", "float16"]:
    layer = keras.layers.BatchNormalization(dtype=policy)
    for _ in range(20):
        layer(wide, training=True)
    finite = bool(np.isfinite(layer.moving_variance.numpy()).all())
    outputs = layer(wide, training=False).numpy().ravel()
    print(f"{policy:13} variance finite: {finite}", end="  ")
    print("outputs all 0:", not outputs.any())
# --8<-- [end:overflow]

# --8<-- [start:silent]
kept = keras.layers.BatchNormalization()
kept.build((None, 1))
kept.moving_variance.assign([1e6])
narrow = keras.layers.BatchNormalization(dtype="float16")
narrow.build((None, 1))
narrow.set_weights(kept.get_weights())
print("moving_variance:", narrow.moving_variance.numpy())
# --8<-- [end:silent]

# --8<-- [start:compiled]
path = tf.train.Checkpoint(model=model).save("compiled/net")
served.compile("adam", "binary_crossentropy")
served.optimizer.build(served.trainable_variables)
try:
    tf.train.Checkpoint(model=served).restore(path)
except tf.errors.InvalidArgumentError as error:
    print("InvalidArgumentError:", error.message.partition("}} ")[-1])
# --8<-- [end:compiled]

# --8<-- [start:uncompiled]
served = make_model()
status = tf.train.Checkpoint(model=served).restore(path)
status.assert_existing_objects_matched()
compare("float32", served(x, training=False))

path = tf.train.Checkpoint(weights=model.weights).save("list/net")
served = make_model()
status = tf.train.Checkpoint(weights=served.weights).restore(path)
status.assert_consumed()
compare("float32", served(x, training=False))
# --8<-- [end:uncompiled]

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
