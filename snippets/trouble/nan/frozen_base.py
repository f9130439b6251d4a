# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(128, 8)).astype("float32")
new_x = x + 1  # the data of the new task

base = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.BatchNormalization(momentum=0.5, name="base_bn"),
        keras.layers.Dense(16, activation="relu"),
    ]
)
for _ in range(30):
    base(x, training=True)  # stands for the pretraining
base.trainable = False
base.save("base.keras")


def with_broken_base():
    base = keras.saving.load_model("base.keras")
    base.layers[0].moving_mean.assign(np.full(8, np.nan))
    return keras.Sequential([keras.Input(shape=(8,)), base])


# --8<-- [end:setup]

# --8<-- [start:see]
from bn_tools import batch_norms, broken, repair

original = keras.saving.load_model("base.keras")
tuned = with_broken_base()
print("broken:", *broken(tuned))
print("repaired:", *repair(tuned, [new_x]))
print("frozen:", not tuned.trainable_weights)
equal = np.array_equal(tuned(x), original(x))
print("base computes what it did:", equal)
# --8<-- [end:see]


# --8<-- [start:fix]
def statistics_from(original, base):
    """Copy the statistics of ``original`` to the broken layers of ``base``."""
    if broken(original):
        raise ValueError(f"the original is broken, too: {broken(original)[0]}")
    shapes = [[w.shape for w in each.weights] for each in (base, original)]
    if shapes[0] != shapes[1]:
        raise ValueError("not the original's arrays: pass the base alone")
    for array, sound in zip(base.weights, original.weights, strict=True):
        same = np.array_equal(array.numpy(), sound.numpy())
        if not (same or array.name.startswith("moving_")):
            raise ValueError(f"{array.path} was trained since: use repair")
    copied = []
    for layer, sound in zip(
        batch_norms(base), batch_norms(original), strict=True
    ):
        if broken(layer):
            layer.moving_mean.assign(sound.moving_mean)
            layer.moving_variance.assign(sound.moving_variance)
            copied.append(layer.name)
    if broken(base):
        raise ValueError(f"copied, but still broken: {broken(base)[0]}")
    return copied


# --8<-- [end:fix]

# --8<-- [start:sure]
tuned = with_broken_base()
base = tuned.layers[0]
print("copied:", *statistics_from(original, base))
equal = np.array_equal(tuned(x), original(x))
print("base computes what it did:", equal)

base.layers[1].kernel.assign(base.layers[1].kernel * 2)
try:
    statistics_from(original, base)
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:sure]
