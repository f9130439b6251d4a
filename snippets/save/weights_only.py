# --8<-- [start:build]
import keras
import numpy as np


def build_model(**settings):
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.Dense(10, name="dense"),
            keras.layers.BatchNormalization(name="bn", **settings),
            keras.layers.ReLU(),
            keras.layers.Dense(1, name="head"),
        ]
    )


# --8<-- [end:build]

# --8<-- [start:train]
keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(1000, 8)).astype("float32")
y = x[:, :1] - x[:, 1:2]

model = build_model()
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
model.fit(x, y, epochs=5, verbose=0)
# --8<-- [end:train]

# --8<-- [start:save]
model.save_weights("model.weights.h5")
# --8<-- [end:save]

# --8<-- [start:load]
rebuilt = build_model()
rebuilt.load_weights("model.weights.h5")
# --8<-- [end:load]

# --8<-- [start:prove]
untrained = build_model().get_layer("bn")  # the layer as it starts
for array in ["gamma", "beta", "moving_mean", "moving_variance"]:
    start, saved, loaded = (
        getattr(layer, array).numpy()
        for layer in [
            untrained,
            model.get_layer("bn"),
            rebuilt.get_layer("bn"),
        ]
    )
    learned = not np.array_equal(saved, start)
    equal = np.array_equal(saved, loaded)
    print(f"{array:16} learned: {learned}  equal: {equal}")

for saved, loaded in zip(model.weights, rebuilt.weights, strict=True):
    np.testing.assert_array_equal(saved.numpy(), loaded.numpy())
np.testing.assert_array_equal(
    model(x, training=False), rebuilt(x, training=False)
)
print(len(model.weights), "arrays and", len(x), "predictions equal")
# --8<-- [end:prove]

# --8<-- [start:expect]
np.savez(
    "expected.npz",
    *model.get_weights(),
    x=x,
    predictions=model(x, training=False),
)
# --8<-- [end:expect]

# --8<-- [start:reload]
reloaded = build_model()
reloaded.load_weights("model.weights.h5")
expected = np.load("expected.npz")

for i, array in enumerate(reloaded.get_weights()):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
np.testing.assert_array_equal(
    reloaded(expected["x"], training=False), expected["predictions"]
)
print("equal in a process that did not save")
# --8<-- [end:reload]

# --8<-- [start:resume]
resumed = build_model()
resumed.compile(optimizer=keras.optimizers.Adam(0.5), loss="mse")
resumed.optimizer.build(resumed.trainable_variables)
resumed.load_weights("model.weights.h5")

for saved, loaded in zip(
    model.optimizer.variables, resumed.optimizer.variables, strict=True
):
    np.testing.assert_array_equal(saved.numpy(), loaded.numpy())
print(len(resumed.optimizer.variables), "arrays of the optimizer equal")
print("steps taken:", int(resumed.optimizer.iterations))
# --8<-- [end:resume]

# --8<-- [start:learning_rate]
print(f"compiled with 0.5, now {float(resumed.optimizer.learning_rate):.2f}")
resumed.optimizer.learning_rate = 0.5
print(f"set after loading: {float(resumed.optimizer.learning_rate):.2f}")
# --8<-- [end:learning_rate]


# --8<-- [start:schedule]
def compiled(rate):
    net = build_model()
    net.compile(optimizer=keras.optimizers.Adam(rate), loss="mse")
    net.optimizer.build(net.trainable_variables)
    return net


decay = keras.optimizers.schedules.ExponentialDecay
scheduled = compiled(decay(0.5, 100, 0.5))
scheduled.fit(x, y, verbose=0)
scheduled.save_weights("scheduled.weights.h5")

for what, rate in {
    "a number": 0.01,
    "a schedule": decay(0.01, 100, decay_rate=1),
}.items():
    loaded = compiled(rate)
    loaded.load_weights("scheduled.weights.h5")
    steps, rate = loaded.optimizer.iterations, loaded.optimizer.learning_rate
    print(f"{what}: rate {float(rate):.3f}, steps taken: {int(steps)}")
# --8<-- [end:schedule]

# --8<-- [start:no_architecture]
try:
    keras.saving.load_model("model.weights.h5")
except ValueError as error:
    print("ValueError:", error)

print("compiled:", rebuilt.compiled)
# --8<-- [end:no_architecture]

# --8<-- [start:no_flags]
import warnings

frozen = build_model()
frozen.get_layer("bn").trainable = False
frozen.set_weights(model.get_weights())
frozen.save_weights("frozen.weights.h5")

thawed = build_model()
thawed.load_weights("frozen.weights.h5")
print("saved with trainable:", frozen.get_layer("bn").trainable)
print("loaded with trainable:", thawed.get_layer("bn").trainable)
# --8<-- [end:no_flags]

# --8<-- [start:flags_damage]
for name, net in [("frozen", frozen), ("thawed", thawed)]:
    net.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
    net.fit(x - 5, y, verbose=0)
    kept = sum(
        np.array_equal(before, after)
        for before, after in zip(
            model.get_layer("bn").get_weights(),
            net.get_layer("bn").get_weights(),
            strict=True,
        )
    )
    print(f"{name}: {kept} of 4 arrays kept by fit")
# --8<-- [end:flags_damage]

# --8<-- [start:flags_fix]
refrozen = build_model()
refrozen.get_layer("bn").trainable = False
refrozen.load_weights("frozen.weights.h5")
refrozen.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
refrozen.fit(x - 5, y, verbose=0)

for array in ["gamma", "beta", "moving_mean", "moving_variance"]:
    np.testing.assert_array_equal(
        getattr(refrozen.get_layer("bn"), array).numpy(),
        getattr(model.get_layer("bn"), array).numpy(),
    )
print("4 arrays kept by fit")
# --8<-- [end:flags_fix]


# --8<-- [start:slots]
def build_two(frozen):
    two = keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.BatchNormalization(name="bn1"),
            keras.layers.ReLU(),
            keras.layers.BatchNormalization(name="bn2"),
        ]
    )
    two.get_layer(frozen).trainable = False
    two.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
    two.optimizer.build(two.trainable_variables)
    return two


saved = build_two(frozen="bn1")
saved.fit(x, x, verbose=0)
saved.save_weights("two.weights.h5")

for frozen in ["bn1", "bn2"]:
    loaded = build_two(frozen)
    with warnings.catch_warnings(
        record=True, action="always", category=UserWarning
    ) as caught:
        loaded.load_weights("two.weights.h5")
    print(f"{frozen} frozen, warnings: {len(caught)}")
    for variable in loaded.optimizer.variables:
        for moment in saved.optimizer.variables:
            into, source = (
                v.path.partition("bn")[2] for v in [variable, moment]
            )
            if into.endswith("momentum") and np.array_equal(variable, moment):
                print(f"  bn{into} holds bn{source}")
# --8<-- [end:slots]

# --8<-- [start:received_none]
without = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.Dense(10),
        keras.layers.ReLU(),
        keras.layers.Dense(1),
    ]
)
without.save_weights("without.weights.h5")
try:
    build_model().load_weights("without.weights.h5")
except ValueError as error:
    print("ValueError:", str(error).splitlines()[2])
# --8<-- [end:received_none]

# --8<-- [start:ending]
for path in ["model", "model.h5", "model.keras"]:
    try:
        model.save_weights(path)
    except ValueError as error:
        print("ValueError:", error)
# --8<-- [end:ending]

# --8<-- [start:no_warning]
restarted = build_model()
restarted.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
with warnings.catch_warnings(
    record=True, action="always", category=UserWarning
) as caught:
    restarted.load_weights("model.weights.h5")

for warning in caught:
    print("UserWarning:", warning.message)
print("steps taken:", int(restarted.optimizer.iterations))
# --8<-- [end:no_warning]

# --8<-- [start:compile_late]
late = build_model()
with warnings.catch_warnings(
    record=True, action="always", category=UserWarning
) as caught:
    late.load_weights("model.weights.h5")
    late.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")

print("warnings:", len(caught))
print("steps taken:", int(late.optimizer.iterations))
# --8<-- [end:compile_late]

# --8<-- [start:optimizer_fix]
restarted.optimizer.build(restarted.trainable_variables)
restarted.load_weights("model.weights.h5")
print("steps taken:", int(restarted.optimizer.iterations))
# --8<-- [end:optimizer_fix]


# --8<-- [start:net]
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(10)
        self.bn = keras.layers.BatchNormalization()
        self.head = keras.layers.Dense(1)

    def call(self, x, training=False):
        return self.head(self.bn(self.dense(x), training=training))


net = Net()
net.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
net.fit(x, y, epochs=5, verbose=0)
net.save_weights("net.weights.h5")
# --8<-- [end:net]

# --8<-- [start:unbuilt]
unbuilt = Net()
print("arrays before the first call:", len(unbuilt.weights))
try:
    unbuilt.load_weights("net.weights.h5")
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:unbuilt]

# --8<-- [start:build_trap]
with warnings.catch_warnings(
    record=True, action="always", category=UserWarning
) as caught:
    unbuilt.build((None, 8))
    unbuilt.load_weights("net.weights.h5")

for warning in caught:
    print("UserWarning:", warning.message)
print("arrays after loading:", len(unbuilt.weights))

unbuilt(x[:1], training=False)
for array in ["gamma", "beta", "moving_mean", "moving_variance"]:
    loaded = getattr(unbuilt.bn, array).numpy()
    equal = np.array_equal(loaded, getattr(net.bn, array).numpy())
    print(f"{array:16} equal: {equal}")
# --8<-- [end:build_trap]

# --8<-- [start:unbuilt_fix]
built = Net()
built(x[:1], training=False)
built.load_weights("net.weights.h5")

np.testing.assert_array_equal(net(x, training=False), built(x, training=False))
print("predictions equal")
# --8<-- [end:unbuilt_fix]


# --8<-- [start:early]
def adapted(data):
    layer = keras.layers.Normalization()
    layer.adapt(data)
    norm = keras.layers.BatchNormalization()
    return keras.Sequential([keras.Input((8,)), layer, norm])


saved = adapted(x)
saved.save_weights("adapted.weights.h5")
for case in ["loaded first", "predicted first", "predicted first, dropped"]:
    net = adapted(10 * x)
    if "predicted" in case:
        net.predict(x, verbose=0)
    net.load_weights("adapted.weights.h5")
    if "dropped" in case:
        net.predict_function = None
    outputs = [each.predict(x, verbose=0) for each in (saved, net)]
    print(f"{case:24} equal predictions: {np.array_equal(*outputs)}")
# --8<-- [end:early]

# --8<-- [start:mismatch]
other = build_model(scale=False)
try:
    other.load_weights("model.weights.h5")
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:mismatch]

# --8<-- [start:skip_mismatch]
with warnings.catch_warnings(
    record=True, action="always", category=UserWarning
) as caught:
    other.load_weights("model.weights.h5", skip_mismatch=True)

print("warnings:", len(caught))
print(str(caught[0].message).split(". ")[0])
bn = other.get_layer("bn")
print("beta still 0:", np.all(bn.beta.numpy() == 0))
print("moving_mean still 0:", np.all(bn.moving_mean.numpy() == 0))
print("moving_variance still 1:", np.all(bn.moving_variance.numpy() == 1))
# --8<-- [end:skip_mismatch]

# --8<-- [start:mismatch_fix]
full = build_model()
full.load_weights("model.weights.h5")
for array in ["beta", "moving_mean", "moving_variance"]:
    getattr(bn, array).assign(getattr(full.get_layer("bn"), array))

for array in ["beta", "moving_mean", "moving_variance"]:
    np.testing.assert_array_equal(
        getattr(bn, array).numpy(),
        getattr(model.get_layer("bn"), array).numpy(),
    )
print("3 arrays equal")
# --8<-- [end:mismatch_fix]


# --8<-- [start:objects_to_skip]
def with_head(outputs):
    base = build_model()
    base.pop()  # the old head
    base.add(keras.layers.Dense(outputs, name="head"))
    return base


for outputs in [1, 3]:
    tail = with_head(outputs)
    try:
        tail.load_weights("model.weights.h5")
        print(f"{outputs} outputs: all arrays loaded")
    except ValueError as error:
        print("ValueError:", str(error).splitlines()[0].split(". ")[0])

tail = with_head(3)
with warnings.catch_warnings(
    record=True, action="always", category=UserWarning
) as caught:
    tail.load_weights(
        "model.weights.h5", objects_to_skip=[tail.get_layer("head")]
    )

print("warnings:", len(caught))
for layer in ["dense", "bn", "head"]:
    equal = all(
        np.array_equal(saved, loaded)
        for saved, loaded in zip(
            model.get_layer(layer).get_weights(),
            tail.get_layer(layer).get_weights(),
            strict=True,
        )
    )
    print(f"{layer:5} equal: {equal}")

early = with_head(3)
early.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
early.optimizer.build(early.trainable_variables)
try:
    early.load_weights(
        "model.weights.h5", objects_to_skip=[early.get_layer("head")]
    )
except ValueError:
    print("too early: raised, steps taken:", int(early.optimizer.iterations))
# --8<-- [end:objects_to_skip]
