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
print("steps taken:", int(resumed.optimizer.iterations.numpy()))
# --8<-- [end:resume]

# --8<-- [start:learning_rate]
print(f"compiled with 0.5, now {resumed.optimizer.learning_rate.numpy():.2f}")
resumed.optimizer.learning_rate = 0.5
print(f"set after loading: {resumed.optimizer.learning_rate.numpy():.2f}")
# --8<-- [end:learning_rate]

# --8<-- [start:no_architecture]
try:
    keras.saving.load_model("model.weights.h5")
except ValueError as error:
    print("ValueError:", error)

print("compiled:", rebuilt.compiled)
# --8<-- [end:no_architecture]
