# --8<-- [start:setup]
import keras
import numpy as np

inputs = keras.Input(shape=(4,))
h = keras.layers.BatchNormalization(name="bn1")(inputs)
h = keras.layers.Dense(8, activation="relu")(h)
h = keras.layers.BatchNormalization(name="bn2")(h)
base = keras.Model(inputs, h, name="base")

inputs = keras.Input(shape=(4,))
h = keras.layers.BatchNormalization(name="new_bn")(base(inputs))
model = keras.Model(inputs, keras.layers.Dense(2, name="head")(h))
# --8<-- [end:setup]


# --8<-- [start:see]
def in_model_layers(model):
    kind = keras.layers.BatchNormalization
    return [layer for layer in model.layers if isinstance(layer, kind)]


print("found:", [layer.name for layer in in_model_layers(model)])
# --8<-- [end:see]

# --8<-- [start:early]
from bn_tools import batch_norms


def freeze(layers):
    for layer in layers:
        layer.trainable = False


def frozen():
    return [bn.name for bn in batch_norms(model) if not bn.trainable]


base.trainable = False  # to train the head
freeze(batch_norms(base))
print("before the base is unfrozen:", frozen())
base.trainable = True
print("after it:", frozen())
# --8<-- [end:early]

# --8<-- [start:fix]
base.trainable = True  # where it was False, this thaws all of the base
for bn in batch_norms(base):
    bn.trainable = False
model.compile(optimizer="sgd", loss="mse")
# --8<-- [end:fix]

# --8<-- [start:sure]
print("frozen:", frozen())
x = np.random.default_rng(0).normal(5, 3, (100, 4))
before = {bn.name: bn.moving_mean.numpy() for bn in batch_norms(model)}
model.fit(x, np.zeros((100, 2)), verbose=0)
for bn in batch_norms(model):
    kept = np.array_equal(before[bn.name], bn.moving_mean)
    print(f"{bn.name}: fit kept the statistics: {kept}")
# --8<-- [end:sure]
