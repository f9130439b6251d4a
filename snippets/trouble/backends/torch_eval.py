# --8<-- [start:setup]
import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import torch

torch.manual_seed(0)
x = torch.randn(64, 4) * 3 + 5
norm = keras.layers.BatchNormalization(momentum=0.5)
model = keras.Sequential([keras.Input(shape=(4,)), norm])


def statistics_moved(call):
    before = [w.numpy() for w in norm.non_trainable_weights]
    call()
    after = [w.numpy() for w in norm.non_trainable_weights]
    return any((a != b).any() for a, b in zip(before, after))


# --8<-- [end:setup]

# --8<-- [start:see]
for mode in [model.train, model.eval]:
    mode()
    moved = statistics_moved(lambda: model(x))
    print(f"{mode.__name__}(): flag {model.training}, moved: {moved}")
# --8<-- [end:see]

# --8<-- [start:fix]
model(x, training=True)  # each step of training
outputs = model(x, training=False)
# --8<-- [end:fix]

# --8<-- [start:sure]
for mode in [model.train, model.eval]:
    mode()
    learns = statistics_moved(lambda: model(x, training=True))
    keeps = not statistics_moved(lambda: model(x, training=False))
    print(f"{mode.__name__}(): True learns: {learns}, False keeps: {keeps}")
# --8<-- [end:sure]
