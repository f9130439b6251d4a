# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

words = tf.constant([["a"], ["b"], ["c"]])


def build(vocabulary):
    lookup = keras.layers.StringLookup(
        vocabulary=vocabulary, output_mode="multi_hot"
    )
    inputs = keras.Input((1,), dtype="string")
    outputs = keras.layers.BatchNormalization()(lookup(inputs))
    return keras.Model(inputs, outputs)


def equal(net):
    arrays = sum(map(np.array_equal, model.variables, net.variables))
    outputs = np.array_equal(model(words), net(words))
    return f"{arrays} of 4 arrays equal, predictions equal: {outputs}"


model = build(["a", "b", "c"])
for variable in model.variables:
    variable.assign(np.random.uniform(1, 2, size=4))
path = tf.train.Checkpoint(model=model).save("checkpoints/net")
model.save_weights("model.weights.h5")
model.save("model.keras")
# --8<-- [end:setup]

# --8<-- [start:see]
loaded = build(["c", "b", "a"])
tf.train.Checkpoint(model=loaded).restore(path).assert_consumed()
print("Checkpoint: ", equal(loaded))

loaded = build(["c", "b", "a"])
loaded.load_weights("model.weights.h5")
print(".weights.h5:", equal(loaded))
# --8<-- [end:see]

# --8<-- [start:fix]
loaded = build(["a", "b", "c"])
tf.train.Checkpoint(model=loaded).restore(path).assert_consumed()
print("Checkpoint:", equal(loaded))

print(".keras:    ", equal(keras.saving.load_model("model.keras")))
# --8<-- [end:fix]

# --8<-- [start:sure]
import json

layers = [layer for layer in model.layers if hasattr(layer, "get_vocabulary")]
with open("vocabulary.json", "w", encoding="utf-8") as file:
    json.dump([layer.get_vocabulary() for layer in layers], file)

with open("vocabulary.json", encoding="utf-8") as file:
    (vocabulary,) = json.load(file)
for net in [build(["c", "b", "a"]), loaded]:
    print(net.layers[1].get_vocabulary() == vocabulary)
# --8<-- [end:sure]
