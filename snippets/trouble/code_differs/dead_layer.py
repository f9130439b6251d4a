# --8<-- [start:setup]
import keras
import numpy as np

from bn_tools import compare, write_record

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


def with_lost_statistics(gamma):
    """Return the right model, and one whose load lost an array."""
    nets = [keras.saving.load_model("model.keras") for _ in range(2)]
    for net in nets:
        net.get_layer("bn").gamma.assign(np.full(4, gamma))
    nets[1].get_layer("bn").moving_variance.assign(np.ones(4))
    return nets


# --8<-- [end:setup]


# --8<-- [start:see]
for gamma in [1, 0]:
    right, lossy = with_lost_statistics(gamma)
    equal = np.array_equal(right(x, training=False), lossy(x, training=False))
    print(f"gamma {gamma}: predictions equal: {equal}")
# --8<-- [end:see]

# --8<-- [start:fix]
right, lossy = with_lost_statistics(0)
write_record("gamma.npz", right, x[:32])
print(*compare("gamma.npz", lossy), sep="\n")
# --8<-- [end:fix]

# --8<-- [start:sure]
for net in [right, lossy]:
    net.get_layer("bn").gamma.assign([1, 0, 0, 0])  # as training would
equal = np.array_equal(right(x, training=False), lossy(x, training=False))
print("predictions equal once gamma moves:", equal)
# --8<-- [end:sure]
