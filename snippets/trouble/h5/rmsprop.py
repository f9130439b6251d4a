# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(256, 8)).astype("float32")


def trained(optimizer):
    model = keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.Dense(4),
            keras.layers.BatchNormalization(),
        ]
    )
    model.compile(optimizer=optimizer, loss="mean_squared_error")
    model.fit(x, x[:, :4], verbose=0)
    return model


# --8<-- [end:setup]

# --8<-- [start:see]
import warnings

for optimizer in [
    keras.optimizers.Adam(0.01),
    keras.optimizers.SGD(0.01, momentum=0.9),
]:
    model = trained(optimizer)
    model.save("before.keras")
    model.save("model.h5")
    model.save("after.keras")
    for file in ["before.keras", "after.keras"]:
        with warnings.catch_warnings(record=True, action="always") as caught:
            loaded = keras.saving.load_model(file)
        about = [w for w in caught if "optimizer" in str(w.message)]
        name = type(loaded.optimizer).__name__
        step = int(loaded.optimizer.iterations.numpy())
        rate = float(loaded.optimizer.learning_rate.numpy())
        loss = loaded.fit(x, x[:, :4], verbose=0).history["loss"][0]
        print(f"{file:12} {name:7} rate {rate:.3f}  step {step}", end="  ")
        print(f"loss NaN: {np.isnan(loss)}")
        for warning in about:
            print("UserWarning:", warning.message)
# --8<-- [end:see]

# --8<-- [start:fix]
model.compile(optimizer=model.optimizer, loss="mean_squared_error")
model.save("model.keras")

loaded = keras.saving.load_model("model.keras")
name = type(loaded.optimizer).__name__
print(name, "step", int(loaded.optimizer.iterations.numpy()))
# --8<-- [end:fix]

# --8<-- [start:sure]
keras.saving.load_model("model.keras").save("copy.h5")
print("saved a copy: ", "optimizer" in model.get_compile_config())
model.save("model.h5")
print("saved `model`:", "optimizer" in model.get_compile_config())
# --8<-- [end:sure]
