# --8<-- [start:model]
import keras
import numpy as np
import tensorflow as tf


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense1 = keras.layers.Dense(10, activation="relu")
        self.bn = keras.layers.BatchNormalization()
        self.dense2 = keras.layers.Dense(5, activation="softmax")

    def call(self, x, training=False):
        x = self.dense1(x)
        x = self.bn(x, training=training)
        return self.dense2(x)


# --8<-- [end:model]

# --8<-- [start:train]
keras.utils.set_random_seed(0)
x = np.random.normal(size=(1000, 20)).astype("float32")
y = np.argmax(x[:, :5], axis=1)

model = Net()
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
model.fit(x, y, epochs=5, verbose=0)
# --8<-- [end:train]

# --8<-- [start:save]
path = tf.train.Checkpoint(model=model).save("checkpoints/net")
print(path)
# --8<-- [end:save]

# --8<-- [start:keys]
keys = [key for key, shape in tf.train.list_variables(path)]
for key in keys:
    if key.startswith("model/bn"):
        print(key.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE"))
print("optimizer entries:", sum("/optimizer/" in key for key in keys))
print("save_counter:", any(key.startswith("save_counter") for key in keys))
# --8<-- [end:keys]

# --8<-- [start:restore]
restored = Net()
restored.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
restored(x[:1])
restored.optimizer.build(restored.trainable_variables)

status = tf.train.Checkpoint(model=restored).restore(path)
status.assert_existing_objects_matched()
status.assert_consumed()
# --8<-- [end:restore]

# --8<-- [start:prove]
for saved, loaded in zip(model.variables, restored.variables, strict=True):
    np.testing.assert_array_equal(saved, loaded)
np.testing.assert_array_equal(
    model(x, training=False), restored(x, training=False)
)
print(len(restored.variables), "arrays and", len(x), "predictions equal")
print("continues after step", int(restored.optimizer.iterations))
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
expected = np.load("expected.npz")
loaded = Net()
loaded.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
loaded(expected["x"][:1])
loaded.optimizer.build(loaded.trainable_variables)

status = tf.train.Checkpoint(model=loaded).restore(
    tf.train.latest_checkpoint("checkpoints")
)
status.assert_existing_objects_matched()
status.assert_consumed()

for i, array in enumerate(loaded.get_weights()):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
np.testing.assert_array_equal(
    loaded(expected["x"], training=False), expected["predictions"]
)
print("equal in a process that did not save")
# --8<-- [end:reload]


# --8<-- [start:assertions]
def outcome(assertion):
    try:
        assertion()
    except AssertionError:
        return "raises"
    return "passes"


def attempt(case, status, target):
    matched = outcome(status.assert_existing_objects_matched)
    consumed = outcome(status.assert_consumed)
    equal = np.array_equal(model(x, training=False), target(x, training=False))
    print(f"{case:24} matched {matched}  consumed {consumed}  equal {equal}")


attempt("compiled and built", status, restored)

target = Net()
target(x[:1])
status = tf.train.Checkpoint(model=target).restore(path)
attempt("built, not compiled", status, target)

target = Net()
status = tf.train.Checkpoint(model=target).restore(path)
attempt("not built", status, target)

target = Net()
target(x[:1])
status = tf.train.Checkpoint(net=target).restore(path)
attempt("another name", status, target)

target = Net()
target(x[:1])
status = tf.train.Checkpoint(model=target).restore(None)
attempt("no checkpoint found", status, target)
# --8<-- [end:assertions]

# --8<-- [start:inference]
served = Net()
served(x[:1])
status = tf.train.Checkpoint(model=served).restore(path)
status.assert_existing_objects_matched()
try:
    status.assert_consumed()
except AssertionError as error:
    print("AssertionError:", error)
# --8<-- [end:inference]

# --8<-- [start:expect_partial]
served = Net()
served(x[:1])
status = tf.train.Checkpoint(model=served).restore(path).expect_partial()
status.assert_existing_objects_matched()
np.testing.assert_array_equal(
    model(x, training=False), served(x, training=False)
)
print("predictions equal")
# --8<-- [end:expect_partial]

# --8<-- [start:manager]
import os

checkpoint = tf.train.Checkpoint(model=model)
manager = tf.train.CheckpointManager(checkpoint, "kept", max_to_keep=2)
for _ in range(3):
    model.fit(x, y, epochs=1, verbose=0)
    manager.save()

print(manager.checkpoints)
for name in sorted(os.listdir("kept")):
    print(name)
# --8<-- [end:manager]


# --8<-- [start:manager_restore]
def compiled_and_built(net):
    net.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    net(x[:1])
    net.optimizer.build(net.trainable_variables)
    return net


restored = compiled_and_built(Net())
checkpoint = tf.train.Checkpoint(model=restored)
manager = tf.train.CheckpointManager(checkpoint, "kept", max_to_keep=2)

status = checkpoint.restore(manager.latest_checkpoint)
status.assert_existing_objects_matched()
status.assert_consumed()
for saved, loaded in zip(model.variables, restored.variables, strict=True):
    np.testing.assert_array_equal(saved, loaded)
print(len(restored.variables), "arrays equal")
print("continues after step", int(restored.optimizer.iterations))
# --8<-- [end:manager_restore]

# --8<-- [start:manager_empty]
fresh = compiled_and_built(Net())
checkpoint = tf.train.Checkpoint(model=fresh)
elsewhere = tf.train.CheckpointManager(checkpoint, "keep", max_to_keep=2)
print("restored from:", elsewhere.restore_or_initialize())
print("moving_mean still 0:", not np.any(fresh.bn.moving_mean.numpy()))
# --8<-- [end:manager_empty]

# --8<-- [start:manager_required]
manager = tf.train.CheckpointManager(checkpoint, "kept", max_to_keep=2)
path = manager.restore_or_initialize()
if path is None:
    raise FileNotFoundError(f"no checkpoint in {manager.directory}")
print("restored from:", path)
np.testing.assert_array_equal(
    model(x, training=False), fresh(x, training=False)
)
print("predictions equal")
# --8<-- [end:manager_required]

# --8<-- [start:write]
path = tf.train.Checkpoint(model=model).write("written/net")
print(path)
status = tf.train.Checkpoint(model=compiled_and_built(Net())).restore(path)
try:
    status.assert_consumed()
except AssertionError as error:
    print("AssertionError:", str(error).partition(",")[0])
    print("save_counter named:", "save_counter" in str(error))
# --8<-- [end:write]

# --8<-- [start:read]
status = tf.train.Checkpoint(model=compiled_and_built(Net())).read(path)
status.assert_existing_objects_matched()
status.assert_consumed()
print("both assertions pass")
# --8<-- [end:read]


# --8<-- [start:list_model]
class ListNet(keras.Model):
    def __init__(self):
        super().__init__()
        self.blocks = [
            keras.layers.Dense(10, activation="relu"),
            keras.layers.BatchNormalization(),
        ]
        self.head = keras.layers.Dense(5, activation="softmax")

    def call(self, x, training=False):
        dense, bn = self.blocks
        return self.head(bn(dense(x), training=training))


listed = compiled_and_built(ListNet())
listed.fit(x, y, epochs=5, verbose=0)
# --8<-- [end:list_model]

# --8<-- [start:list_keys]
path = tf.train.Checkpoint(model=listed).save("listed/net")
for key, shape in tf.train.list_variables(path):
    name = key.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE")
    optimizer = "optimizer" in name and "_trainable" not in name
    if name.startswith("model/") and not optimizer:
        print(name, shape)
# --8<-- [end:list_keys]

# --8<-- [start:list_restore]
lost = compiled_and_built(ListNet())
status = tf.train.Checkpoint(model=lost).restore(path)
status.assert_existing_objects_matched()
status.assert_consumed()

for saved, loaded in zip(listed.variables, lost.variables, strict=True):
    print(f"{saved.name:16} equal: {np.array_equal(saved, loaded)}")
# --8<-- [end:list_restore]

# --8<-- [start:list_fix]
listed.save_weights("listed.weights.h5")
lost.load_weights("listed.weights.h5")

np.testing.assert_array_equal(
    listed(x, training=False), lost(x, training=False)
)
print("predictions equal")
# --8<-- [end:list_fix]


# --8<-- [start:containers]
bn = keras.layers.BatchNormalization()
bn.build((None, 20))
for container in [[bn], {"bn": bn}, (bn,)]:
    holder = keras.Model()
    holder.blocks = container
    path = tf.train.Checkpoint(model=holder).save("containers/net")
    keys = [key for key, shape in tf.train.list_variables(path)]
    found = any("moving_mean" in key for key in keys)
    print(f"{type(container).__name__:5} moving_mean in the file: {found}")
# --8<-- [end:containers]

# --8<-- [start:trainable_only]
path = tf.train.Checkpoint(v=model.trainable_variables).save("trainable/net")

target = compiled_and_built(Net())
status = tf.train.Checkpoint(v=target.trainable_variables).restore(path)
status.assert_existing_objects_matched()
status.assert_consumed()
for name in ["gamma", "beta", "moving_mean", "moving_variance"]:
    saved, loaded = getattr(model.bn, name), getattr(target.bn, name)
    print(f"{name:16} equal: {np.array_equal(saved, loaded)}")
# --8<-- [end:trainable_only]

# --8<-- [start:all_variables]
path = tf.train.Checkpoint(v=model.variables).save("all/net")

target = compiled_and_built(Net())
status = tf.train.Checkpoint(v=target.variables).restore(path)
status.assert_consumed()
np.testing.assert_array_equal(
    model(x, training=False), target(x, training=False)
)
print("predictions equal")
# --8<-- [end:all_variables]

# --8<-- [start:frozen]
frozen = Net()
frozen.bn.trainable = False
path = tf.train.Checkpoint(model=compiled_and_built(frozen)).save("frozen/net")

unfrozen = compiled_and_built(Net())
try:
    tf.train.Checkpoint(model=unfrozen).restore(path)
except ValueError as error:
    print("ValueError:", str(error).partition(" and name ")[0])
print("layer is trainable:", unfrozen.bn.trainable)
# --8<-- [end:frozen]

# --8<-- [start:frozen_first]
refrozen = Net()
refrozen.bn.trainable = False
status = tf.train.Checkpoint(model=compiled_and_built(refrozen)).restore(path)
status.assert_consumed()
np.testing.assert_array_equal(
    frozen(x, training=False), refrozen(x, training=False)
)
print("predictions equal")
# --8<-- [end:frozen_first]

# --8<-- [start:path]
for path in ["checkpoints", "checkpoints/net"]:
    try:
        tf.train.Checkpoint(model=target).restore(path)
    except tf.errors.OpError as error:
        print(f"{type(error).__name__}: {error.message}")
# --8<-- [end:path]

# --8<-- [start:latest]
path = tf.train.latest_checkpoint("checkpoints")
print(path)
status = tf.train.Checkpoint(model=target).restore(path)
status.assert_existing_objects_matched()
# --8<-- [end:latest]
