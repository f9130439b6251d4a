# --8<-- [start:model]
import keras
import numpy as np
import tensorflow as tf


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense1 = keras.layers.Dense(10, activation="relu")
        self.bn = keras.layers.BatchNormalization(name="bn")
        self.dense2 = keras.layers.Dense(5, activation="softmax")

    def call(self, x, training=False):
        x = self.dense1(x)
        x = self.bn(x, training=training)
        return self.dense2(x)


# --8<-- [end:model]

# --8<-- [start:data]
keras.utils.set_random_seed(0)
x = np.random.normal(50, 20, size=(1000, 20)).astype("float32")
y = np.argmax(x[:, :5], axis=1)
# --8<-- [end:data]

# --8<-- [start:step]
model = Net()
optimizer = keras.optimizers.Adam()
loss_of = keras.losses.SparseCategoricalCrossentropy()


@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = loss_of(y, model(x, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


# --8<-- [end:step]


# --8<-- [start:loop]
def check_moved(model):
    for array in model.variables:
        if array.name == "moving_variance" and np.all(array.numpy() == 1):
            raise RuntimeError(f"{array.path} never moved")


batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(50)
losses = []
for epoch in range(10):
    for x_batch, y_batch in batches:
        losses.append(float(train_step(x_batch, y_batch)))
    check_moved(model)

print("steps:", len(losses))
print("loss fell:", losses[-1] < losses[0])
# --8<-- [end:loop]


# --8<-- [start:validate]
@tf.function
def outputs_of(x, training):
    return model(x, training=training)


before = model.get_weights()
hits = []
for x_batch, y_batch in batches:  # in your project: validation data
    outputs = outputs_of(x_batch, training=False)
    hits.append(np.argmax(outputs, axis=1) == y_batch)

print("accuracy is more than 0.4:", np.mean(hits) > 0.4)
for old, new in zip(before, model.get_weights(), strict=True):
    np.testing.assert_array_equal(old, new)
print("no array has changed")
# --8<-- [end:validate]

# --8<-- [start:save]
checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer)
path = checkpoint.save("checkpoints/net")
print(path)
# --8<-- [end:save]

# --8<-- [start:restore]
restored = Net()
restored(x[:1])

status = tf.train.Checkpoint(model=restored).restore(
    tf.train.latest_checkpoint("checkpoints")
)
status.assert_existing_objects_matched()
# --8<-- [end:restore]

# --8<-- [start:prove]
for saved, loaded in zip(model.variables, restored.variables, strict=True):
    np.testing.assert_array_equal(saved, loaded)
np.testing.assert_array_equal(
    model(x, training=False), restored(x, training=False)
)
print(len(restored.variables), "arrays and", len(x), "predictions equal")
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
restored = Net()
restored(expected["x"][:1])
status = tf.train.Checkpoint(model=restored).restore(
    tf.train.latest_checkpoint("checkpoints")
)
status.assert_existing_objects_matched()

for i, array in enumerate(restored.get_weights()):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
np.testing.assert_array_equal(
    restored(expected["x"], training=False), expected["predictions"]
)
print("equal in a process that did not save")
# --8<-- [end:reload]

# --8<-- [start:resume]
resumed = Net()
resumed(x[:1])
resumed_optimizer = keras.optimizers.Adam()
resumed_optimizer.build(resumed.trainable_variables)

checkpoint = tf.train.Checkpoint(model=resumed, optimizer=resumed_optimizer)
status = checkpoint.restore(tf.train.latest_checkpoint("checkpoints"))
status.assert_consumed()
print("continues after step", int(resumed_optimizer.iterations))
# --8<-- [end:resume]

# --8<-- [start:wrong_path]
print("given a prefix:", tf.train.latest_checkpoint("checkpoints/net"))
print("given a folder:", tf.train.latest_checkpoint("checkpoints"))

nothing = Net()
nothing(x[:1])
status = tf.train.Checkpoint(model=nothing).restore(None)
print(
    "predictions equal:",
    np.allclose(model(x, training=False), nothing(x, training=False)),
)
# --8<-- [end:wrong_path]

# --8<-- [start:wrong_path_assert]
try:
    status.assert_existing_objects_matched()
except AssertionError as error:
    print("AssertionError:", error)
# --8<-- [end:wrong_path_assert]

# --8<-- [start:unbuilt]
unbuilt = Net()
status = tf.train.Checkpoint(model=unbuilt).restore(
    tf.train.latest_checkpoint("checkpoints")
)
status.assert_existing_objects_matched()

print(
    "predictions equal:",
    np.allclose(model(x, training=False), unbuilt(x, training=False)),
)
# --8<-- [end:unbuilt]

# --8<-- [start:unbuilt_arrays]
arrays = {
    "dense1": ["kernel", "bias"],
    "bn": ["gamma", "beta", "moving_mean", "moving_variance"],
    "dense2": ["kernel", "bias"],
}
for layer, names in arrays.items():
    for name in names:
        saved = getattr(getattr(model, layer), name).numpy()
        loaded = getattr(getattr(unbuilt, layer), name).numpy()
        print(f"{layer}.{name:16} restored: {np.array_equal(saved, loaded)}")
# --8<-- [end:unbuilt_arrays]

# --8<-- [start:unbuilt_assert]
try:
    status.assert_existing_objects_matched()
except AssertionError as error:
    lines = str(error).splitlines()
    print("AssertionError: ...", lines[3].strip(), "...", lines[-1].strip())
# --8<-- [end:unbuilt_assert]

# --8<-- [start:forgotten]
forgetful = Net(name="forgetful")
forgetful_optimizer = keras.optimizers.Adam()


@tf.function
def forgetful_step(x, y):
    with tf.GradientTape() as tape:
        loss = loss_of(y, forgetful(x))
    gradients = tape.gradient(loss, forgetful.trainable_variables)
    forgetful_optimizer.apply_gradients(
        zip(gradients, forgetful.trainable_variables)
    )
    return loss


for epoch in range(10):
    for x_batch, y_batch in batches:
        loss = float(forgetful_step(x_batch, y_batch))

print("loss is at least twice as high:", loss > 2 * losses[-1])
try:
    check_moved(forgetful)
except RuntimeError as error:
    print("RuntimeError:", error)
# --8<-- [end:forgotten]

# --8<-- [start:flag]
try:
    outputs_of(x[:50], training=tf.constant(True))
except TypeError as error:
    start = str(error).index("Using a symbolic")
    print("TypeError: ...", str(error)[start:].split(". ")[0], "...")

training = True


@tf.function
def by_flag(x):
    return model(x, training=training)


by_flag(x[:50])
training = False
before = model.bn.moving_mean.numpy()
by_flag(x[:50])
changed = not np.array_equal(before, model.bn.moving_mean.numpy())
print("validation changed the statistics:", changed)
# --8<-- [end:flag]
