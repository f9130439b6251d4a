# --8<-- [start:setup]
import keras
import numpy as np

x = np.random.default_rng(0).normal(5, 3, (64, 4)).astype("float32")
y = np.zeros((64, 3), "float32")

model = keras.Sequential(
    [
        keras.Input((4,)),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(8, activation="relu", name="features"),
        keras.layers.Dense(3),
    ]
)
model.compile("sgd", "mse")
model.fit(x, y, epochs=3, verbose=0)
model.save("model.keras")
# --8<-- [end:setup]

# --8<-- [start:see]
loaded = keras.saving.load_model("model.keras")
loaded.predict(x, verbose=0)
loaded.pop()
print(
    "called:", loaded(x).shape, "predict:", loaded.predict(x, verbose=0).shape
)

loaded = keras.saving.load_model("model.keras")
loaded.pop()
print(
    "called:", loaded(x).shape, "predict:", loaded.predict(x, verbose=0).shape
)
# --8<-- [end:see]


# --8<-- [start:fit]
def new_head_moves(compile_again):
    """Put a new layer at the end of a model in training, and go on."""
    model = keras.saving.load_model("model.keras")
    model.fit(x, y, verbose=0)
    model.pop()
    model.add(keras.layers.Dense(3))
    if compile_again:
        model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(x, y, epochs=3, verbose=0)
    moved = [
        not np.array_equal(*pair) for pair in zip(before, model.get_weights())
    ]
    return f"moving mean moved: {moved[2]}, new kernel: {moved[-2]}"


print("as it is:       ", new_head_moves(compile_again=False))
print("compiled again: ", new_head_moves(compile_again=True))
# --8<-- [end:fit]

# --8<-- [start:layers]
loaded = keras.saving.load_model("model.keras")
loaded.layers.pop()
print("layers:", len(loaded.layers), "of", len(model.layers))
# --8<-- [end:layers]

# --8<-- [start:input]
loaded = keras.saving.load_model("model.keras")
try:
    keras.Model(loaded.input, loaded.get_layer("features").output)
except AttributeError as error:
    print("AttributeError:")
    print(error)
# --8<-- [end:input]

# --8<-- [start:nested]
outer_input = keras.Input((4,))
outer = keras.Model(outer_input, keras.layers.Dense(2)(model(outer_input)))
try:
    keras.Model(outer.input, model.get_layer("features").output)
except ValueError as error:
    print("ValueError:", error)

keras.Model(model.inputs[0], model.get_layer("features").output)
# --8<-- [end:nested]

# --8<-- [start:fix]
loaded = keras.saving.load_model("model.keras")
features = loaded.get_layer("features").output
extractor = keras.Model(loaded.inputs[0], features)

new = keras.Model(loaded.inputs[0], keras.layers.Dense(2)(features))
new.compile("sgd", "mse")
# --8<-- [end:fix]

# --8<-- [start:shared]
bn = loaded.layers[0]
before = bn.moving_mean.numpy()
new.fit(x, y[:, :2], verbose=0)
print(
    "training moves the loaded model:",
    not np.array_equal(before, bn.moving_mean),
)

alone = keras.models.clone_model(new)
alone.set_weights(new.get_weights())
alone.compile("sgd", "mse")
before = bn.moving_mean.numpy()
alone.fit(x, y[:, :2], verbose=0)
print(
    "of a copy:                      ",
    not np.array_equal(before, bn.moving_mean),
)
# --8<-- [end:shared]


# --8<-- [start:sure]
def ends_like(model, whole, head):
    """Return whether a cut model and the layer behind it end like the whole."""
    outputs = head(model.predict(x, verbose=0))
    return np.allclose(outputs, whole.predict(x, verbose=0), atol=1e-5)


print(ends_like(extractor, loaded, loaded.layers[-1]))
# --8<-- [end:sure]
