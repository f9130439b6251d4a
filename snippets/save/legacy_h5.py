# --8<-- [start:build]
import keras
import numpy as np


def build_model(bn="bn"):
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.Dense(10, name="dense"),
            keras.layers.BatchNormalization(name=bn),
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
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mean_squared_error")
model.fit(x, y, epochs=5, verbose=0)
# --8<-- [end:train]

# --8<-- [start:save]
model.save("model.h5")
# --8<-- [end:save]

# --8<-- [start:load]
reloaded = keras.saving.load_model("model.h5")
# --8<-- [end:load]


# --8<-- [start:prove]
def compare(saved, loaded):
    start = build_model().get_layer("bn")  # the layer as it starts
    for array in ["gamma", "beta", "moving_mean", "moving_variance"]:
        first, before, after = (
            getattr(layer, array).numpy()
            for layer in [start, saved.get_layer("bn"), loaded.get_layer("bn")]
        )
        learned = not np.array_equal(before, first)
        equal = np.array_equal(before, after)
        print(f"{array:16} learned: {learned}  equal: {equal}")
    np.testing.assert_array_equal(
        saved(x, training=False), loaded(x, training=False)
    )
    print(len(x), "predictions equal")


compare(model, reloaded)
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
import keras
import numpy as np

reloaded = keras.saving.load_model("model.h5")
expected = np.load("expected.npz")

for i, array in enumerate(reloaded.get_weights()):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
np.testing.assert_array_equal(
    reloaded(expected["x"], training=False), expected["predictions"]
)
print("equal in a process that did not save")
# --8<-- [end:reload]

# --8<-- [start:weights]
rebuilt = build_model()
rebuilt.load_weights("model.h5")
compare(model, rebuilt)
# --8<-- [end:weights]

# --8<-- [start:damage]
import warnings

settings = model.get_compile_config()
print("optimizer in the compile settings:", "optimizer" in settings)

model.save("after.keras")
with warnings.catch_warnings(
    record=True, action="always", category=UserWarning
) as caught:
    again = keras.saving.load_model("after.keras")

for net in [model, again]:
    name, rate = net.optimizer.name, float(net.optimizer.learning_rate)
    steps = int(net.optimizer.iterations)
    print(f"{name:8} learning rate {rate:.3f}  steps taken {steps}")
for warning in caught:
    print("UserWarning:", warning.message)
# --8<-- [end:damage]

# --8<-- [start:damage_silent]
quiet = build_model()
sgd = keras.optimizers.SGD(0.01, momentum=0.9)
quiet.compile(optimizer=sgd, loss="mean_squared_error")
quiet.fit(x, y, verbose=0)
quiet.save("before.keras")
quiet.save("quiet.h5")
quiet.save("after.keras")
for file in ["before.keras", "after.keras"]:
    with warnings.catch_warnings(record=True, action="always") as caught:
        again = keras.saving.load_model(file)
    about = [w for w in caught if "optimizer" in str(w.message)]
    loss = again.fit(x, y, verbose=0).history["loss"][0]
    print(f"{file:12} {type(again.optimizer).__name__:7}", end=" ")
    print(f"warnings: {len(about)}  loss NaN: {np.isnan(loss)}")
# --8<-- [end:damage_silent]

# --8<-- [start:damage_fix]
model.compile(optimizer=model.optimizer, loss="mean_squared_error")
model.save("model.keras")

again = keras.saving.load_model("model.keras")
rate = float(again.optimizer.learning_rate)
steps = int(again.optimizer.iterations)
print(f"{again.optimizer.name}  learning rate {rate:.3f}  steps taken {steps}")
# --8<-- [end:damage_fix]

# --8<-- [start:damage_avoid]
model.save("model.keras")
keras.saving.load_model("model.keras").save("copy.h5")
settings = model.get_compile_config()
print("optimizer in the compile settings:", "optimizer" in settings)
# --8<-- [end:damage_avoid]


# --8<-- [start:subclassed]
@keras.saving.register_keras_serializable()
class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(10)
        self.bn = keras.layers.BatchNormalization()
        self.head = keras.layers.Dense(1)

    def call(self, x, training=False):
        return self.head(self.bn(self.dense(x), training=training))


net = Net()
net.compile(optimizer="sgd", loss="mean_squared_error")
net.fit(x, y, verbose=0)
net.save("net.h5")

for custom_objects in [None, {"Net": Net}]:
    try:
        keras.saving.load_model("net.h5", custom_objects=custom_objects)
    except ValueError as error:
        print("ValueError:", error)
# --8<-- [end:subclassed]

# --8<-- [start:subclassed_fix]
rescued = Net()
rescued(x[:1], training=False)
rescued.load_weights("net.h5")
np.testing.assert_array_equal(
    net(x, training=False), rescued(x, training=False)
)

rescued.save("net.keras")
reloaded = keras.saving.load_model("net.keras")
np.testing.assert_array_equal(
    net(x, training=False), reloaded(x, training=False)
)
print("predictions equal, from net.h5 and from net.keras")
# --8<-- [end:subclassed_fix]

# --8<-- [start:fit]
reloaded = keras.saving.load_model("model.h5")
np.testing.assert_array_equal(
    model(x, training=False), reloaded(x, training=False)
)
print("predictions equal")
print("steps taken:", int(reloaded.optimizer.iterations))

try:
    reloaded.fit(x, y, verbose=0)
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:fit]

# --8<-- [start:fit_fix]
reloaded = keras.saving.load_model("model.h5", compile=False)
compare(model, reloaded)

reloaded.compile(
    optimizer=keras.optimizers.Adam(0.01), loss="mean_squared_error"
)
print("steps taken:", int(reloaded.optimizer.iterations))
reloaded.fit(x, y, verbose=0)
print("steps taken:", int(reloaded.optimizer.iterations))
# --8<-- [end:fit_fix]

# --8<-- [start:mse]
short = build_model()
short.compile(optimizer="sgd", loss="mse")
short.save("mse.h5")
try:
    keras.saving.load_model("mse.h5")
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:mse]

# --8<-- [start:mse_fix]
reloaded = keras.saving.load_model("mse.h5", compile=False)
reloaded.compile(optimizer="adam", loss="mse")
np.testing.assert_array_equal(
    short(x, training=False), reloaded(x, training=False)
)
print("predictions equal")
# --8<-- [end:mse_fix]


# --8<-- [start:nested]
def build_nested(bn1=True, bn2=True):
    inner = keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.BatchNormalization(name="bn1"),
            keras.layers.ReLU(),
            keras.layers.BatchNormalization(name="bn2"),
        ],
        name="inner",
    )
    inner.get_layer("bn1").trainable = bn1
    inner.get_layer("bn2").trainable = bn2
    return keras.Sequential([inner, keras.layers.Dense(1, name="head")])


nested = build_nested()
nested.compile(optimizer=keras.optimizers.SGD(0.01), loss="mean_squared_error")
nested.fit(x, y, epochs=5, verbose=0)
nested.save("nested.h5")
# --8<-- [end:nested]

# --8<-- [start:order]
import h5py

with h5py.File("nested.h5") as file:
    for name in file["model_weights/inner"].attrs["weight_names"]:
        print(name)
# --8<-- [end:order]


# --8<-- [start:permuted]
def arrays(net):
    return {
        f"{layer.name} {variable.name}": variable.numpy()
        for layer in net.get_layer("inner").layers
        for variable in layer.weights
    }


half = build_nested(bn1=False, bn2=True)
half.load_weights("nested.h5")

for name, loaded in arrays(half).items():
    for source, saved in arrays(nested).items():
        if np.array_equal(saved, loaded):
            note = "" if source == name else "  <- wrong"
            print(f"{name:19} holds {source:19}{note}".rstrip())

error = np.abs(half(x, training=False) - nested(x, training=False)).max()
print("predictions differ by more than 1:", error > 1)
# --8<-- [end:permuted]

# --8<-- [start:permuted_nan]
frozen = build_nested(bn1=False, bn2=False)
frozen.load_weights("nested.h5")

for name, net in {"saved": nested, "loaded": frozen}.items():
    variance = arrays(net)["bn1 moving_variance"]
    print(
        f"{name:6} moving_variance has negative values:", np.any(variance < 0)
    )
print("predictions NaN:", np.any(np.isnan(frozen(x, training=False))))
# --8<-- [end:permuted_nan]

# --8<-- [start:permuted_fix]
frozen = build_nested()  # with the flags the model had when it was saved
frozen.load_weights("nested.h5")
frozen.get_layer("inner").trainable = False

for name, saved in arrays(nested).items():
    np.testing.assert_array_equal(saved, arrays(frozen)[name])
np.testing.assert_array_equal(
    nested(x, training=False), frozen(x, training=False)
)
print(len(arrays(frozen)), "arrays of the inner model equal")
# --8<-- [end:permuted_fix]

# --8<-- [start:permuted_flags]
unknown = build_nested(bn1=False, bn2=True)
unknown.set_weights(nested.get_weights())
unknown.save("unknown.h5")

whole = keras.saving.load_model("unknown.h5", compile=False)
for name in ["bn1", "bn2"]:
    layer = whole.get_layer("inner").get_layer(name)
    print(f"{name} trainable: {layer.trainable}")
np.testing.assert_array_equal(
    nested(x, training=False), whole(x, training=False)
)
print("predictions equal")
# --8<-- [end:permuted_flags]

# --8<-- [start:permuted_other]
whole.save_weights("nested.weights.h5")
for flags in [(True, True), (True, False), (False, True), (False, False)]:
    net = build_nested(*flags)
    net.load_weights("nested.weights.h5")
    outputs = [each(x, training=False) for each in (nested, net)]
    equal = np.array_equal(*outputs)
    print(f"trainable: {flags!s:15} predictions equal: {equal}")
# --8<-- [end:permuted_other]


# --8<-- [start:shapes]
def build_mixed(trainable):
    inner = keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.BatchNormalization(trainable=trainable),
            keras.layers.Dense(4, name="dense"),
        ],
        name="inner",
    )
    return keras.Sequential([inner, keras.layers.Dense(1)])


build_mixed(trainable=True).save("mixed.h5")
try:
    build_mixed(trainable=False).load_weights("mixed.h5")
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:shapes]


# --8<-- [start:own_layer]
@keras.saving.register_keras_serializable()
class Norms(keras.layers.Layer):
    def __init__(self, frozen=False, **kwargs):
        super().__init__(**kwargs)
        self.bn1 = keras.layers.BatchNormalization(trainable=not frozen)
        self.bn2 = keras.layers.BatchNormalization()

    def build(self, input_shape):
        self.bn1.build(input_shape)
        self.bn2.build(input_shape)

    def call(self, x, training=None):
        x = keras.ops.relu(self.bn1(x, training=training))
        return self.bn2(x, training=training)


@keras.saving.register_keras_serializable()
class KeptNorms(Norms):
    def get_config(self):
        frozen = not self.bn1.trainable
        return {**super().get_config(), "frozen": frozen}


for cls in [Norms, KeptNorms]:
    norms = cls()
    owner = keras.Sequential(
        [keras.Input(shape=(8,)), norms, keras.layers.Dense(1)]
    )
    owner.compile(optimizer="sgd", loss="mean_squared_error")
    owner.fit(x, y, verbose=0)
    norms.bn1.trainable = False
    owner.save("own.h5")

    whole = keras.saving.load_model("own.h5", compile=False)
    for name in ["bn1", "bn2"]:
        saved, loaded = (
            getattr(net.layers[0], name).gamma.numpy() for net in [owner, whole]
        )
        equal = np.array_equal(saved, loaded)
        print(f"{cls.__name__:9} {name} gamma equal: {equal}")
# --8<-- [end:own_layer]


# --8<-- [start:other_head]
def with_head(outputs):
    base = build_model()
    base.pop()  # the old head
    base.add(keras.layers.Dense(outputs, name="head"))
    return base


for arguments in [{}, {"skip_mismatch": True}]:
    base = with_head(3)
    with warnings.catch_warnings(
        record=True, action="always", category=UserWarning
    ) as caught:
        try:
            base.load_weights("model.h5", **arguments)
        except ValueError as error:
            print("ValueError:", str(error).partition("for weight")[0])
            continue
    bn, saved = base.get_layer("bn"), model.get_layer("bn")
    equal = all(map(np.array_equal, saved.get_weights(), bn.get_weights()))
    print(f"warnings: {len(caught)}, bn equal: {equal}")
# --8<-- [end:other_head]

# --8<-- [start:by_name]
renamed = build_model(bn="norm")
with warnings.catch_warnings(
    record=True, action="always", category=UserWarning
) as caught:
    renamed.load_weights("model.h5", by_name=True)

print("warnings:", len(caught))
norm = renamed.get_layer("norm")
print("gamma still 1:", np.all(norm.gamma.numpy() == 1))
print("beta still 0:", np.all(norm.beta.numpy() == 0))
print("moving_mean still 0:", np.all(norm.moving_mean.numpy() == 0))
print("moving_variance still 1:", np.all(norm.moving_variance.numpy() == 1))
# --8<-- [end:by_name]

# --8<-- [start:by_name_fix]
renamed = build_model(bn="norm")
renamed.load_weights("model.h5")
np.testing.assert_array_equal(
    model(x, training=False), renamed(x, training=False)
)
print("predictions equal")
# --8<-- [end:by_name_fix]


# --8<-- [start:as_of_old]
import json


def edit(path, attribute, change):
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs[attribute])
        change(config)
        file.attrs[attribute] = json.dumps(config)


def with_lr(config):
    settings = config["optimizer_config"]["config"]
    settings["lr"] = settings.pop("learning_rate")


def with_groups(config):
    config["config"]["layers"][1]["config"]["groups"] = 1


images = keras.Sequential(
    [
        keras.Input(shape=(4, 4, 3)),
        keras.layers.Conv2DTranspose(2, 3),
        keras.layers.BatchNormalization(),
    ]
)
images.compile(optimizer="adam", loss="mean_squared_error")
images.save("old.h5")
edit("old.h5", "training_config", with_lr)
edit("old.h5", "model_config", with_groups)
# --8<-- [end:as_of_old]


# --8<-- [start:old_files]
class WithoutGroups(keras.layers.Conv2DTranspose):
    def __init__(self, *args, groups=1, **kwargs):
        super().__init__(*args, **kwargs)


same = {"custom_objects": {"Conv2DTranspose": WithoutGroups}}
for arguments in [{}, same, {**same, "compile": False}]:
    try:
        old = keras.saving.load_model("old.h5", **arguments)
    except (TypeError, ValueError) as error:
        text = str(error)
        start = max(text.find("Unrecognized keyword"), 0)
        print(f"{type(error).__name__}: {text[start:].splitlines()[0]}")
        continue
    equal = all(map(np.array_equal, images.get_weights(), old.get_weights()))
    print("arrays equal:", equal)
# --8<-- [end:old_files]
