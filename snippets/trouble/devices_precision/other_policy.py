# --8<-- [start:setup]
import warnings

import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(256, 8)).astype("float32")

keras.mixed_precision.set_global_policy("mixed_float16")
model = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.Dense(1, dtype="float32"),
    ]
)
model.compile("adam", "mse")
model.fit(x, x[:, :1], verbose=0)
model.save("mixed.keras")


def report(loaded):
    equal = np.array_equal(
        model.predict(x, verbose=0), loaded.predict(x, verbose=0)
    )
    print("bn:", loaded.get_layer("bn").dtype_policy.name, end=", ")
    print("predictions equal:", equal)
    print("optimizer:", type(loaded.optimizer).__name__, end=" ")
    print("at step", int(loaded.optimizer.iterations.numpy()))


# --8<-- [end:setup]

# --8<-- [start:see]
keras.mixed_precision.set_global_policy("float32")  # that of a new process
with warnings.catch_warnings(record=True, action="always") as caught:
    started_over = keras.saving.load_model("mixed.keras")
report(started_over)
print("UserWarning:", caught[0].message)
# --8<-- [end:see]

# --8<-- [start:fix]
keras.mixed_precision.set_global_policy("mixed_float16")
loaded = keras.saving.load_model("mixed.keras")
report(loaded)
# --8<-- [end:fix]

# --8<-- [start:named]
named = keras.models.clone_model(model)
optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam())
named.compile(optimizer, "mse")
named.fit(x, x[:, :1], verbose=0)
named.save("named.keras")

keras.mixed_precision.set_global_policy("float32")
again = keras.saving.load_model("named.keras")
print("optimizer:", type(again.optimizer).__name__, end=" ")
print("at step", int(again.optimizer.iterations.numpy()))
# --8<-- [end:named]

# --8<-- [start:sure]
for net in [model, loaded, started_over]:
    net.fit(x, x[:, :1], shuffle=False, verbose=0)
for name, net in {"policy set": loaded, "other policy": started_over}.items():
    equal = all(map(np.array_equal, model.weights, net.weights))
    print(f"{name}: trained on as if nothing was saved: {equal}")
# --8<-- [end:sure]
