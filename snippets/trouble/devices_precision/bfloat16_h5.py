# --8<-- [start:see]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(256, 8)).astype("float32")


def make_model(policy):
    keras.mixed_precision.set_global_policy(policy)
    layer = keras.layers.BatchNormalization(momentum=0.9, name="bn")
    return keras.Sequential([keras.Input(shape=(8,)), layer])


model = make_model("bfloat16")
for _ in range(20):
    model(x, training=True)
model.save("net.h5")
ways = {
    "load_weights": lambda: make_model("bfloat16").load_weights("net.h5"),
    "load_model": lambda: keras.saving.load_model("net.h5"),
}
for name, load in ways.items():
    try:
        load()
        print(f"{name}: loaded")
    except (TypeError, ValueError) as error:
        print(f"{name}: {type(error).__name__}: {error}")
# --8<-- [end:see]

# --8<-- [start:fix]
model.save("net.keras")
model.save_weights("net.weights.h5")
# --8<-- [end:fix]

# --8<-- [start:sure]
in_float32 = make_model("float32")
in_float32.load_weights("net.weights.h5")
loaded = {"net.keras": keras.saving.load_model("net.keras")}
loaded["net.weights.h5, float32"] = in_float32
for name, net in loaded.items():
    arrays = zip(model.get_weights(), net.get_weights(), strict=True)
    equal = all(np.array_equal(a, b.astype(a.dtype)) for a, b in arrays)
    print(f"{name}: equal: {equal}, in {net.weights[-1].dtype}")
print("moving_mean still 0:", not np.any(in_float32.weights[-2].numpy()))
# --8<-- [end:sure]
