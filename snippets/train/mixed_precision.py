# --8<-- [start:model]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(loc=5, scale=3, size=(1024, 8)).astype("float32")
y = (x[:, 0] > x[:, 1]).astype("float32")


def make_model():
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.BatchNormalization(name="bn", momentum=0.9),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid", dtype="float32"),
        ]
    )


# --8<-- [end:model]

# --8<-- [start:train]
keras.mixed_precision.set_global_policy("mixed_float16")
model = make_model()
model.compile(
    keras.optimizers.SGD(0.3), "binary_crossentropy", metrics=["accuracy"]
)
model.fit(x, y, epochs=4, verbose=0)

bn = model.get_layer("bn")
print("outputs:", bn.compute_dtype, "arrays:", bn.moving_mean.dtype)
print("optimizer:", type(model.optimizer).__name__)
# --8<-- [end:train]

# --8<-- [start:save]
from bn_tools import write_record

model.save("mixed.keras")
write_record("mixed.npz", model, x[:32])
# --8<-- [end:save]

# --8<-- [start:load]
keras.mixed_precision.set_global_policy("mixed_float16")  # before loading
reloaded = keras.saving.load_model("mixed.keras")
# --8<-- [end:load]

# --8<-- [start:prove]
from bn_tools import compare

print("an untrained one differs:", len(compare("mixed.npz", make_model())) > 0)
print("the loaded one differs:  ", compare("mixed.npz", reloaded))
print("optimizer:", type(reloaded.optimizer).__name__, "at step", end=" ")
step, steps = reloaded.optimizer.iterations, model.optimizer.iterations
print(step.numpy(), "of", steps.numpy())
# --8<-- [end:prove]

# --8<-- [start:reload]
import keras
from bn_tools import compare

for policy in ["float32", "mixed_float16"]:
    keras.mixed_precision.set_global_policy(policy)
    loaded = keras.saving.load_model("mixed.keras")
    print(f"policy {policy}:")
    print("  ", *compare("mixed.npz", loaded)[-1:] or ["nothing differs"])
# --8<-- [end:reload]
