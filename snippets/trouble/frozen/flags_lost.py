# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf
from bn_tools import batch_norms


def small_base():
    inputs = keras.Input(shape=(4,))
    bn = keras.layers.BatchNormalization()
    return keras.Model(inputs, bn(inputs))


def functional():
    inputs = keras.Input(shape=(4,))
    return keras.Model(inputs, keras.layers.Dense(1)(small_base()(inputs)))


def sequential():
    inputs = keras.Input(shape=(4,))
    return keras.Sequential([inputs, small_base(), keras.layers.Dense(1)])


def through_files(build):
    """Yield the name of each file, and a model that was loaded from it."""
    frozen = build()
    frozen.trainable = False
    yield "before", frozen
    frozen.save("frozen.keras")
    yield ".keras", keras.saving.load_model("frozen.keras")
    frozen.save("frozen.h5")
    yield ".h5", keras.saving.load_model("frozen.h5", compile=False)
    yield "to_json", keras.models.model_from_json(frozen.to_json())

    frozen.save_weights("frozen.weights.h5")
    rebuilt = build()
    rebuilt.load_weights("frozen.weights.h5")
    yield ".weights.h5", rebuilt
    path = tf.train.Checkpoint(model=frozen).write("frozen-checkpoint")
    rebuilt = build()
    tf.train.Checkpoint(model=rebuilt).read(path).assert_consumed()
    yield "Checkpoint", rebuilt
    rebuilt = build()
    rebuilt.set_weights(frozen.get_weights())
    yield "get_weights", rebuilt


# --8<-- [end:setup]

# --8<-- [start:see]
print("             functional         Sequential")
print("             model   its layer  model   its layer")
for pair in zip(through_files(functional), through_files(sequential)):
    flags = [
        word
        for _, model in pair
        for word in (
            f"{model.trainable!s:7}",
            f"{batch_norms(model)[0].trainable!s:10}",
        )
    ]
    print(f"{pair[0][0]:12}", *flags[:-1], flags[-1].rstrip())
# --8<-- [end:see]

# --8<-- [start:fix]
model = functional()
model.trainable = False  # as when it was saved
model.load_weights("frozen.weights.h5")
model.compile(optimizer="sgd", loss="mse")
# --8<-- [end:fix]

# --8<-- [start:sure]
from bn_tools import compare, write_record

write_record("frozen.npz", model, np.ones((32, 4)))


def flags_that_differ(model):
    found = compare("frozen.npz", model)
    words = ["trainable is", "instead of"]  # instead of: of another model
    return [line for line in found if any(word in line for word in words)]


print("set in code:", flags_that_differ(model))
other = functional()
other.load_weights("frozen.weights.h5")
print("not set:    ", len(flags_that_differ(other)) > 0)
# --8<-- [end:sure]
