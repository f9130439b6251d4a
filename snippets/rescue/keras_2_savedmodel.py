# --8<-- [start:copy]
def short(variable, parts):
    """Return the end of a variable's name, such as bn/moving_mean."""
    name = getattr(variable, "path", variable.name).partition(":")[0]
    name = name.replace("depthwise_kernel", "kernel")  # as Keras 3 calls it
    return "/".join(name.split("/")[-parts:])


def copy_arrays(old, new):
    """Copy variables of Keras 2 into variables of Keras 3, paired by name.

    Raises:
        ValueError: A name is not once on both sides, or a shape differs.
            Nothing was copied then.
    """
    for parts in 1, 2, 3:
        olds = {short(v, parts): v for v in old}
        news = {short(v, parts): v for v in new}
        if olds.keys() == news.keys() and len(olds) == len(old) == len(new):
            break
    else:
        a, b = ([short(v, 2) for v in side] for side in [old, new])
        found = {name: (a.count(name), b.count(name)) for name in a + b}
        wrong = sorted(n for n, both in found.items() if both != (1, 1))
        raise ValueError(f"not once on both sides: {wrong}")
    for name in news:
        shapes = tuple(olds[name].shape), tuple(news[name].shape)
        if shapes[0] != shapes[1]:
            raise ValueError(f"{name}: {shapes[0]} is not {shapes[1]}")
    for name in news:
        news[name].assign(olds[name])


# --8<-- [end:copy]

# --8<-- [start:write]
import numpy as np
from tensorflow import keras

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 8)).astype("float32")
model = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.Dense(4, name="dense"),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.Dense(1, name="head"),
    ]
)
model.compile(keras.optimizers.Adam(0.01), "mse")
model.fit(x, x[:, :1] - x[:, 1:2], epochs=20, verbose=0)

model.save("folder", include_optimizer=False)
predictions = model.predict(x, verbose=0)
np.savez("expected.npz", *model.get_weights(), x=x, predictions=predictions)
# --8<-- [end:write]

# --8<-- [start:refused]
import keras
import numpy as np
import tensorflow as tf

try:
    keras.saving.load_model("folder")
except ValueError as error:
    print(f"ValueError: {str(error).partition(' Keras')[0]}")
# --8<-- [end:refused]

# --8<-- [start:predict]
loaded = tf.saved_model.load("folder")
layer = keras.layers.TFSMLayer("folder", call_endpoint="serving_default")

expected = np.load("expected.npz")
x = expected["x"]
outputs = layer(x)
print("outputs of the layer:", list(outputs))
for found in [outputs["head"], loaded(x, training=False)]:
    np.testing.assert_allclose(found, expected["predictions"], 1e-4, 1e-5)
print("predictions equal within 1e-5")
# --8<-- [end:predict]


# --8<-- [start:use]
def build_model(head="head"):
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.Dense(4, name="dense"),
            keras.layers.BatchNormalization(name="bn"),
            keras.layers.Dense(1, name=head),
        ]
    )


model = build_model()
start = model.get_weights()
copy_arrays(loaded.variables, model.weights)
model.save("model.keras")
# --8<-- [end:use]

# --8<-- [start:prove]
for i, weight in enumerate(model.weights):
    learned = not np.array_equal(weight, start[i])
    equal = np.array_equal(weight, expected[f"arr_{i}"])
    print(f"{weight.name:16} learned: {learned}  equal: {equal}")
np.testing.assert_allclose(
    model(x, training=False), expected["predictions"], 1e-4, 1e-5
)
print(len(x), "predictions equal within 1e-5")
# --8<-- [end:prove]

# --8<-- [start:refuses]
other = build_model(head="logits")
try:
    copy_arrays(loaded.variables, other.weights)
except ValueError as error:
    print("ValueError:", *str(error).split(": "), sep="\n    ")
# --8<-- [end:refuses]

# --8<-- [start:layers]
for old, new in zip(loaded.keras_api.layers, other.layers, strict=True):
    copy_arrays(getattr(old, "variables", []), new.weights)
np.testing.assert_allclose(
    other(x, training=False), loaded(x, training=False), 1e-4, 1e-5
)
print("predictions equal within 1e-5")
# --8<-- [end:layers]

# --8<-- [start:mode]
moving = [v for v in loaded.variables if "moving" in v.name]
before = [v.numpy() for v in moving]
outputs = loaded(x, training=True)
print("moved:", [not np.array_equal(v, b) for v, b in zip(moving, before)])

np.testing.assert_allclose(other(x, training=True), outputs, 1e-4, 1e-5)
bn = other.get_layer("bn")
for array, v in zip([bn.moving_mean, bn.moving_variance], moving):
    np.testing.assert_allclose(array, v, 1e-4, 1e-5)
print("as the Keras 3 model moves: True")
# --8<-- [end:mode]

# --8<-- [start:train]
mean = model.get_layer("bn").moving_mean.numpy()
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mean_squared_error")
y = x[:, :1] - x[:, 1:2]
loss = model.evaluate(x, y, verbose=0)
model.fit(x, y, epochs=20, verbose=0)
print("loss is lower:", model.evaluate(x, y, verbose=0) < loss)
moved = not np.array_equal(model.get_layer("bn").moving_mean, mean)
print("moving_mean moved:", moved)
# --8<-- [end:train]
