# --8<-- [start:setup]
import copy

import keras
import numpy as np
import tensorflow as tf

x = np.random.default_rng(0).normal(5, 3, size=(64, 4))
model = keras.Sequential(
    [
        keras.Input(shape=(4,)),
        keras.layers.BatchNormalization(),
        keras.layers.Dropout(0.5, seed=0),
    ]
)
for _ in range(3):
    model(x, training=True)


def report(way, model):
    drawn = model.layers[1].seed_generator.state.numpy()[1]
    moved = np.any(model.layers[0].moving_mean.numpy())
    print(f"{way:11} statistics moved: {moved}  masks drawn: {drawn}")


# --8<-- [end:setup]

# --8<-- [start:see]
model.save("model.keras")
path = tf.train.Checkpoint(model=model).save("model/net")
restored = keras.models.clone_model(model)
tf.train.Checkpoint(model=restored).restore(path).assert_consumed()

report("in memory", model)
report(".keras", keras.saving.load_model("model.keras"))
report("deepcopy", copy.deepcopy(model))
report("checkpoint", restored)
# --8<-- [end:see]


# --8<-- [start:fix]
def checkpoint_of(model):
    return tf.train.Checkpoint(model=model, arrays=model.variables)


path = checkpoint_of(model).save("whole/net")
whole = keras.models.clone_model(model)
checkpoint_of(whole).restore(path).assert_consumed()
report("with arrays", whole)
# --8<-- [end:fix]

# --8<-- [start:sure]
expected = model(x, training=True)
for name, net in {"checkpoint": restored, "with arrays": whole}.items():
    equal = np.array_equal(expected, net(x, training=True))
    print(f"{name:11} next mask as if nothing was saved: {equal}")
# --8<-- [end:sure]
