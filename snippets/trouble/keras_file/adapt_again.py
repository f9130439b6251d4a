# --8<-- [start:setup]
import keras
import numpy as np

rng = np.random.default_rng(0)
first = rng.normal(5, 3, (100, 4)).astype("float32")
later = rng.normal(9, 3, (100, 4)).astype("float32")

normalize = keras.layers.Normalization()
normalize.adapt(first)
model = keras.Sequential(
    [keras.Input(shape=(4,)), normalize, keras.layers.Dense(1)]
)
model.compile(optimizer="sgd", loss="mse")
model.fit(first, first[:, :1], verbose=0)


def report(name, model, loaded):
    outputs = (each.predict(later, verbose=0) for each in (model, loaded))
    print(f"{name:18} loaded is equal: {np.allclose(*outputs, atol=1e-4)}")


def saved(model):
    model.save("model.keras")
    return keras.saving.load_model("model.keras")


# --8<-- [end:setup]

# --8<-- [start:see]
report("adapted once", model, saved(model))
normalize.adapt(later)
report("adapted again", model, saved(model))
# --8<-- [end:see]

# --8<-- [start:fix]
model.compile(optimizer="sgd", loss="mse")
report("compiled after it", model, saved(model))
# --8<-- [end:fix]

# --8<-- [start:replaces]
both = np.concatenate([first, later])
for name, rows in {"both": both, "the later": later}.items():
    same = np.allclose(np.ravel(normalize.mean), rows.mean(0), atol=1e-3)
    print(f"mean of {name} rows: {same}")
# --8<-- [end:replaces]

# --8<-- [start:running]
running = keras.layers.BatchNormalization(
    center=False, scale=False, momentum=0.9
)
model = keras.Sequential(
    [keras.Input(shape=(4,)), running, keras.layers.Dense(1)]
)
model.compile(optimizer="sgd", loss="mse")
rows = np.tile(later, (100, 1))
model.fit(rows, rows[:, :1], batch_size=100, shuffle=False, verbose=0)
same = np.allclose(running.moving_mean, later.mean(0), atol=0.01)
print("moving mean of the later rows:", same)
report("running mean", model, saved(model))
# --8<-- [end:running]
