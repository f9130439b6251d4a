# --8<-- [start:setup]
import keras
import numpy as np
from keras import layers


def compiled(*parts):
    model = keras.Sequential([keras.Input(shape=(4,)), *parts])
    model.compile("sgd", keras.losses.BinaryCrossentropy(from_logits=True))
    return model


def networks(first_step=False):
    critic = compiled(layers.BatchNormalization(), layers.Dense(1))
    if first_step:
        moved(critic, critic, rows=64)
    critic.trainable = False
    return critic, compiled(layers.Dense(4), critic)


def moved(critic, model, rows):
    before = critic.get_weights()
    model.train_on_batch(np.ones((rows, 4)), np.ones((rows, 1)))
    same = map(np.array_equal, before, critic.get_weights())
    return "kept " if all(same) else "moved"


# --8<-- [end:setup]

# --8<-- [start:see]
print("the critic in its step, rows  64     8      combined, 8")
for case, first in {"frozen": False, "frozen after a step": True}.items():
    critic, combined = networks(first)
    found = [moved(critic, critic, rows) for rows in [64, 8]]
    print(f"{case:26}  ", *found, moved(critic, combined, 8).strip(), sep="  ")
# --8<-- [end:see]

# --8<-- [start:fix]
critic, combined = networks()
found = []
for rows in [64, 8]:
    critic.trainable = True
    found.append(moved(critic, critic, rows))
critic.trainable = False
found.append(moved(critic, combined, 8).strip())
print(f"{'flag set before each call':26}  ", *found, sep="  ")
# --8<-- [end:fix]

# --8<-- [start:sure]
for flag in [False, True]:
    critic, combined = networks()
    critic.trainable = flag
    if moved(critic, critic, rows=64).strip() == "kept":
        print("the critic learns nothing")
    else:
        print("the critic learns")
# --8<-- [end:sure]
