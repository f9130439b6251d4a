# --8<-- [start:train]
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
noise = np.random.normal(size=(2000, 5))
x = (5 + 0.1 * noise).astype("float32")
y = np.argmax(noise, axis=1)

model = keras.Sequential(
    [
        keras.Input(shape=(5,)),
        keras.layers.BatchNormalization(name="bn1"),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.BatchNormalization(name="bn2"),
        keras.layers.Dense(5, activation="softmax"),
    ]
)
model.compile(
    optimizer=keras.optimizers.Adam(0.01),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
history = model.fit(x, y, batch_size=100, epochs=4, verbose=0).history
model.save("stale.keras")
# --8<-- [end:train]


# --8<-- [start:symptom]
def accuracy(model, x, y=y):
    return np.mean(np.argmax(model(x, training=False), axis=1) == y)


print("fit reported more than 0.8:      ", history["accuracy"][-1] > 0.8)
print("inference mode has less than 0.4:", accuracy(model, x) < 0.4)
# --8<-- [end:symptom]

# --8<-- [start:repair]
layers = [
    layer
    for layer in model.layers
    if isinstance(layer, keras.layers.BatchNormalization)
]
momenta = [layer.momentum for layer in layers]

for layer in layers:
    layer.momentum = 0.0
in_training_mode = model(x, training=True)
for layer, momentum in zip(layers, momenta):
    layer.momentum = momentum

print("inference mode has more than 0.9:", accuracy(model, x) > 0.9)
# --8<-- [end:repair]

# --8<-- [start:exact]
bn1, dense, bn2 = model.layers[:3]
inputs = {bn1: x, bn2: dense(bn1(x, training=False)).numpy()}
for layer, data in inputs.items():
    np.testing.assert_allclose(layer.moving_mean, data.mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(
        layer.moving_variance, data.var(axis=0), rtol=1e-3
    )
    print(layer.name, "holds mean and variance of its inputs")

np.testing.assert_allclose(
    model(x, training=False), in_training_mode, rtol=0, atol=1e-4
)
print("inference mode computes what training mode computed")
# --8<-- [end:exact]

# --8<-- [start:untouched]
stale = keras.saving.load_model("stale.keras")
for before, after in zip(
    stale.trainable_variables + stale.optimizer.variables,
    model.trainable_variables + model.optimizer.variables,
    strict=True,
):
    np.testing.assert_array_equal(before, after)
print("trainable arrays and optimizer are as they were")
# --8<-- [end:untouched]

# --8<-- [start:save]
model.save("repaired.keras")
np.savez(
    "expected.npz",
    *model.get_weights(),
    x=x,
    predictions=model.predict(x, verbose=0),
)
# --8<-- [end:save]

# --8<-- [start:reload]
import keras
import numpy as np

loaded = keras.saving.load_model("repaired.keras")
expected = np.load("expected.npz")

for i, array in enumerate(loaded.get_weights()):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
np.testing.assert_array_equal(
    loaded.predict(expected["x"], verbose=0), expected["predictions"]
)
print(i + 1, "arrays and", len(expected["x"]), "predictions equal")
# --8<-- [end:reload]


# --8<-- [start:estimate_again]
def layers_in(thing, found):
    if isinstance(thing, keras.layers.Layer) and id(thing) not in found:
        found[id(thing)] = thing
        layers_in(list(vars(thing).values()), found)
    elif isinstance(thing, dict):
        layers_in(list(thing.values()), found)
    elif isinstance(thing, (list, tuple)):
        for each in thing:
            layers_in(each, found)
    return list(found.values())


def batch_norms(model):
    found = [
        layer
        for layer in layers_in(model, {})
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    expected = sum(v.name == "moving_mean" for v in model.variables)
    if len(found) != expected:
        raise ValueError(f"found {len(found)} of {expected} layers")
    return found


def estimate_again(model, batches):
    layers = batch_norms(model)
    settings = [(layer.momentum, layer.trainable) for layer in layers]
    rows = 0
    try:
        for batch in batches:
            for layer in layers:
                layer.trainable = True  # a frozen layer would update nothing
                layer.momentum = rows / (rows + len(batch))  # 0 at first
            model(batch, training=True)
            rows += len(batch)
    finally:
        for layer, (momentum, trainable) in zip(layers, settings):
            layer.momentum = momentum
            layer.trainable = trainable


# --8<-- [end:estimate_again]


# --8<-- [start:nested]
class Block(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.steps = {"one": [keras.layers.BatchNormalization()]}

    def call(self, x, training=False):
        return self.steps["one"][0](x, training=training)


inner = keras.Sequential([keras.Input(shape=(5,)), stale, Block()])
outer = keras.Sequential([keras.Input(shape=(5,)), inner])
print("layers found:", len(batch_norms(outer)))
# --8<-- [end:nested]

# --8<-- [start:batches]
dataset = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x), seed=0)
batched = keras.saving.load_model("stale.keras")
estimate_again(batched, (batch for batch, _ in dataset.batch(300)))
print("more than 0.9:", accuracy(batched, x) > 0.9)

for one_pass, in_batches in zip(
    model.non_trainable_variables, batched.non_trainable_variables, strict=True
):
    np.testing.assert_allclose(in_batches, one_pass, rtol=0.05, atol=1e-3)
print("as in one pass, within 5%")
# --8<-- [end:batches]

# --8<-- [start:last_batch]
batches = np.split(x[np.argsort(x[:, 0])], 20)
layer = keras.layers.BatchNormalization(momentum=0.0)
for batch in batches:
    layer(batch, training=True)

for name, rows in {"data": x, "last batch": batches[-1]}.items():
    equal = np.allclose(layer.moving_mean, rows.mean(axis=0), atol=1e-4)
    print(f"moving_mean is the mean of the {name}: {equal}")
# --8<-- [end:last_batch]

# --8<-- [start:sizes]
column = noise[:400, :1].astype("float32")


def share(rows, size):
    layer = keras.layers.BatchNormalization()
    layer.build((None, 1))
    batches = np.split(rows, len(rows) // size)
    estimate_again(layer, batches)
    within = layer.moving_variance.numpy()[0] / rows.var()
    between = np.var([batch.mean() for batch in batches]) / rows.var()
    return f"{within:.2f}             {between:.2f}"


print("rows in a batch   moving variance  variance of the batch means")
for size in [400, 100, 10, 2, 1]:
    print(f"{size:3}               {share(column, size)}")
print(f"100, sorted       {share(np.sort(column, axis=0), 100)}")
# --8<-- [end:sizes]

# --8<-- [start:trainable_only]
np.savez("trainable.npz", *model.trainable_variables)

fresh = keras.models.clone_model(model)  # in your project: built from code
file = np.load("trainable.npz")
for i, variable in enumerate(fresh.trainable_variables):
    variable.assign(file[f"arr_{i}"])
print("as loaded:        more than 0.4:", accuracy(fresh, x) > 0.4)

estimate_again(fresh, [x])
print("estimated again:  more than 0.9:", accuracy(fresh, x) > 0.9)
for lost, again in zip(model.variables, fresh.variables, strict=True):
    np.testing.assert_allclose(lost, again, rtol=1e-4, atol=1e-5)
print("the statistics that were lost are back, up to rounding")
# --8<-- [end:trainable_only]

# --8<-- [start:frozen]
frozen = keras.saving.load_model("stale.keras")
frozen.trainable = False

before = frozen.get_weights()
for layer in frozen.layers:
    layer.momentum = 0.0
frozen(x, training=True)
unchanged = all(map(np.array_equal, before, frozen.get_weights()))
print("nothing changed:", unchanged)
# --8<-- [end:frozen]

# --8<-- [start:unfrozen]
estimate_again(frozen, [x])
print("more than 0.9:", accuracy(frozen, x) > 0.9)
print("still frozen:", not frozen.trainable_variables)
# --8<-- [end:unfrozen]

# --8<-- [start:dropout]
dropped = keras.Sequential(
    [
        keras.Input(shape=(5,)),
        keras.layers.GaussianNoise(1.0),  # stands for any augmentation
        keras.layers.Dropout(0.5),
        keras.layers.BatchNormalization(),
    ]
)


def width(model):
    return f"{np.std(model(3 + noise, training=False)):.1f}"


estimate_again(dropped, [3 + noise])
print("width of the outputs:", width(dropped))
# --8<-- [end:dropout]

# --8<-- [start:without_dropout]
outputs = 3 + noise
for layer in dropped.layers:
    normalizes = isinstance(layer, keras.layers.BatchNormalization)
    if normalizes:
        layer.momentum = 0.0
    outputs = layer(outputs, training=normalizes)
    if normalizes:
        layer.momentum = 0.99
print("width of the outputs:", width(dropped))
# --8<-- [end:without_dropout]

# --8<-- [start:rate]
dropouts = [
    layer
    for layer in layers_in(dropped, {})
    if isinstance(layer, keras.layers.Dropout)
]
rates = [layer.rate for layer in dropouts]
for layer in dropouts:
    layer.rate = 0.0
estimate_again(dropped, [3 + noise])
for layer, rate in zip(dropouts, rates):
    layer.rate = rate
print("width of the outputs:", width(dropped))
print("rates:", [layer.rate for layer in dropouts])
# --8<-- [end:rate]

# --8<-- [start:preprocessing]
for name, data in {"x": x, "x - 5": x - 5, "x / 5": x / 5}.items():
    again = keras.saving.load_model("stale.keras")
    estimate_again(again, [data])
    print(f"estimated on {name:5}  more than 0.9:", accuracy(again, x) > 0.9)
# --8<-- [end:preprocessing]

# --8<-- [start:test_set]
test_noise = np.random.normal(size=(1000, 5))
y_test = np.argmax(test_noise, axis=1)
shift = np.array([0.3, 0, -0.3, 0.15, -0.15])  # another camera, say
x_test = (5 + 0.1 * test_noise + shift).astype("float32")

leaked = keras.saving.load_model("stale.keras")
estimate_again(leaked, [x_test])
for name, net in {"x": model, "x_test": leaked}.items():
    more = accuracy(net, x_test, y_test) > 0.6
    print(f"estimated on {name:6}  more than 0.6:", more)
# --8<-- [end:test_set]


# --8<-- [start:never]
class WithoutTraining(keras.Model):
    def __init__(self):
        super().__init__()
        self.net = keras.models.clone_model(model)

    def call(self, x):
        return self.net(x)


keras.utils.set_random_seed(0)
x_never = (50 + 20 * noise).astype("float32")
never = WithoutTraining()
never.compile(
    optimizer=keras.optimizers.Adam(0.01),
    loss="sparse_categorical_crossentropy",
)
never.fit(x_never, y, batch_size=100, epochs=5, verbose=0)

print("before: more than 0.8:", accuracy(never.net, x_never) > 0.8)
estimate_again(never, [x_never])
print("after:  more than 0.7:", accuracy(never.net, x_never) > 0.7)
# --8<-- [end:never]

# --8<-- [start:learning_rate]
patient = keras.saving.load_model("stale.keras")
patient.optimizer.learning_rate = 0.0
patient.fit(x, y, batch_size=100, epochs=1, verbose=0)
print(" 20 steps, more than 0.9:", accuracy(patient, x) > 0.9)
patient.fit(x, y, batch_size=100, epochs=24, verbose=0)
print("500 steps, more than 0.9:", accuracy(patient, x) > 0.9)


def kept(arrays):
    return all(map(np.array_equal, arrays(stale), arrays(patient)))


print("trainable arrays kept:", kept(lambda m: m.trainable_variables))
# The first two are the step count and the learning rate.
print("moments of Adam kept: ", kept(lambda m: m.optimizer.variables[2:]))
# --8<-- [end:learning_rate]

# --8<-- [start:traced]
patient.set_weights(stale.get_weights())
for layer in batch_norms(patient):
    layer.momentum = 0.0
patient.fit(x, y, batch_size=100, verbose=0)
print("momentum 0, more than 0.9:", accuracy(patient, x) > 0.9)
# --8<-- [end:traced]

# --8<-- [start:traced_right]
patient.compile(
    optimizer=keras.optimizers.SGD(0.0), loss="sparse_categorical_crossentropy"
)
patient.fit(x, y, batch_size=100, verbose=0)
print("momentum 0, more than 0.9:", accuracy(patient, x) > 0.9)
# --8<-- [end:traced_right]
