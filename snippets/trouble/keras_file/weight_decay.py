# --8<-- [start:see]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(256, 8)).astype("float32")
model = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.Dense(4),
        keras.layers.BatchNormalization(name="bn"),
    ]
)
adam = keras.optimizers.AdamW(0.01, weight_decay=0.5)
adam.exclude_from_weight_decay(var_names=["gamma", "beta"])
model.compile(adam, loss="mse")
model.fit(x, x[:, :4], verbose=0)
model.save("model.keras")

loaded = keras.saving.load_model("model.keras")
for net in [model, loaded]:
    net.fit(x, x[:, :4], shuffle=False, verbose=0)
expected = model.get_layer("bn").gamma.numpy()
equal = np.array_equal(loaded.get_layer("bn").gamma, expected)
print("gamma as if nothing was saved:", equal)
# --8<-- [end:see]

# --8<-- [start:fix]
mended = keras.saving.load_model("model.keras")
old = mended.optimizer
new = old.from_config(old.get_config())
new.exclude_from_weight_decay(var_names=["gamma", "beta"])
new.build(mended.trainable_variables)
for variable, value in zip(new.variables, old.variables, strict=True):
    variable.assign(value)
mended.compile(new, loss="mse")
# --8<-- [end:fix]

# --8<-- [start:sure]
mended.fit(x, x[:, :4], shuffle=False, verbose=0)
equal = np.array_equal(mended.get_layer("bn").gamma, expected)
print("gamma as if nothing was saved:", equal)
# --8<-- [end:sure]
