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
model.compile(optimizer=keras.optimizers.SGD(0.01), loss="mean_squared_error")
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
