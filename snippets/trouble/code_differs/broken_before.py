# --8<-- [start:setup]
import keras
import numpy as np

from bn_tools import broken, compare, write_record

x = np.random.normal(5, 3, size=(256, 4)).astype("float32")
model = keras.Sequential(
    [
        keras.Input(shape=(4,)),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.Dense(3, name="out"),
    ]
)
for _ in range(100):
    model(x, training=True)

model.save("model.keras")


def after(value):
    """Return the model after one more batch, with that value in it."""
    net = keras.saving.load_model("model.keras")
    batch = x[:32].copy()
    batch[0, 0] = value
    net(batch, training=True)
    return net


# --8<-- [end:setup]


# --8<-- [start:see]
for value in [100.0, np.inf]:
    trained = after(value)
    trained.save("trained.keras")
    loaded = keras.saving.load_model("trained.keras")
    pairs = zip(trained.weights, loaded.weights, strict=True)
    equal = all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)
    bad = np.isnan(loaded(x, training=False)).all()
    print(f"a batch with {value}: arrays equal: {equal}, all NaN: {bad}")
# --8<-- [end:see]

# --8<-- [start:fix]
from bn_tools import repair

trained = after(np.inf)
print("repaired:", *repair(trained, [x]))
print("all NaN:", np.isnan(trained(x, training=False)).all())
# --8<-- [end:fix]

# --8<-- [start:sure]
for value in [100.0, np.inf]:
    broke = after(value)
    print(f"a batch with {value}", *broken(broke), sep="\n    ")
    write_record("broke.npz", broke, x[:32])
    print("    compare:", *compare("broke.npz", broke)[:1])
# --8<-- [end:sure]
