# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 4)).astype("float32")
y = x[:, :1]
bad = x.copy()
bad[3, 0] = np.inf

model = keras.Sequential(
    [
        keras.Input(shape=(4,)),
        keras.layers.Dense(8),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(1),
    ]
)
optimizer = keras.optimizers.SGD(0.01, momentum=0.9, clipnorm=1.0)
model.compile(optimizer, "mse", run_eagerly=True)
model.fit(x, y, verbose=0)
model.save("older.keras")
# --8<-- [end:setup]

# --8<-- [start:see]
from bn_tools import broken, repair

model.fit(bad, y, verbose=0)
weights = [w for w in model.trainable_variables if not np.isfinite(w).all()]
print("weights that are broken:", len(weights) > 0)
try:
    repair(model, [x])
except ValueError as error:
    print("ValueError:", str(error).partition(":")[0])
# --8<-- [end:see]

# --8<-- [start:alone]
older = keras.saving.load_model("older.keras")
model.set_weights(older.get_weights())
print("predictions are NaN:", np.isnan(model(x, training=False)).any())
model.train_on_batch(x, y)
print("after the next step:", np.isnan(model(x, training=False)).any())
# --8<-- [end:alone]

# --8<-- [start:fix]
model = keras.saving.load_model("older.keras")
model.train_on_batch(x, y)
print("after the next step:", np.isnan(model(x, training=False)).any())
# --8<-- [end:fix]

# --8<-- [start:sure]
finite = np.isfinite(bad).all(axis=1)
for case, rows in {"all rows": finite | True, "finite rows": finite}.items():
    net = keras.saving.load_model("older.keras")
    net.fit(bad[rows], y[rows], verbose=0)
    print(f"{case:11} {rows.sum()} of 64, broken: {bool(broken(net))}")
# --8<-- [end:sure]
