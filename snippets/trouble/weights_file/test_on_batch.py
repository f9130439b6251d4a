# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(128, 4)).astype("float32")
y = x.mean(axis=1, keepdims=True)


def build():
    model = keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.SGD(0.01), loss="mse")
    return model


model = build()
for _ in range(5):
    model.train_on_batch(x, y)
model.save_weights("model.weights.h5")
# --8<-- [end:setup]


# --8<-- [start:see]
def test_without_reset(model):
    """What `test_on_batch` did up to Keras 3.14.0."""
    return float(model.test_step((x, y))["loss"])


loaded = build()
loaded.load_weights("model.weights.h5")
before, after = test_without_reset(model), test_without_reset(loaded)
print("equal loss:", np.isclose(before, after))
print("equal predictions:", np.allclose(model(x), loaded(x)))
# --8<-- [end:see]

# --8<-- [start:fix]
for each in [model, loaded]:
    each.reset_metrics()
before, after = test_without_reset(model), test_without_reset(loaded)
print("equal loss:", np.isclose(before, after))
# --8<-- [end:fix]

# --8<-- [start:sure]
fresh = build()
for name in ["not loaded", "loaded"]:
    model.train_on_batch(x, y)
    if name == "loaded":
        model.save_weights("model.weights.h5")
        fresh.load_weights("model.weights.h5")
    before, after = (net.test_on_batch(x, y) for net in (model, fresh))
    print(f"{name:11} test_on_batch: {np.isclose(before, after)!s:5}", end="  ")
    before, after = (net.evaluate(x, y, verbose=0) for net in (model, fresh))
    print(f"evaluate: {np.isclose(before, after)}")
# --8<-- [end:sure]
