# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 8)).astype("float32")


def build_model(make):
    return keras.Sequential(
        [keras.Input(shape=(8,)), make(), keras.layers.Dense(3)]
    )


def by_weights(model, fresh):
    model.save_weights("model.weights.h5")
    fresh.load_weights("model.weights.h5")


def by_checkpoint(model, fresh):
    saved = tf.train.Checkpoint(model=model, arrays=model.variables)
    path = saved.save("folder/model")
    found = tf.train.Checkpoint(model=fresh, arrays=fresh.variables)
    found.restore(path).assert_existing_objects_matched()


def report(make):
    model = build_model(make)
    model(x, training=True)  # moves the statistics
    print(len(model.weights), "arrays", end="")
    for way in [by_weights, by_checkpoint]:
        other = build_model(make)
        way(model, other)
        same = np.array_equal(
            model(x, training=False), other(x, training=False)
        )
        print(f", {way.__name__}: {'equal' if same else 'lost'}", end="")
    print()
    model.save("model.keras")
    try:
        other = keras.saving.load_model("model.keras")
        same = np.array_equal(
            model(x, training=False), other(x, training=False)
        )
        print("by .keras:", "equal" if same else "lost")
    except ValueError as error:
        print("ValueError:", str(error).partition(" whose")[0])


# --8<-- [end:setup]


# --8<-- [start:see]
def in_lambda():
    bn = keras.layers.BatchNormalization()
    return keras.layers.Lambda(lambda x: bn(x), output_shape=(8,))


report(in_lambda)
# --8<-- [end:see]


# --8<-- [start:fix]
@keras.saving.register_keras_serializable(package="mine")
class Normalize(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.bn = keras.layers.BatchNormalization()

    def call(self, x, training=None):
        return self.bn(x, training=training)


# --8<-- [end:fix]

# --8<-- [start:sure]
from bn_tools import batch_norms

report(Normalize)
for make in [in_lambda, Normalize]:
    print(make.__name__, "found:", len(batch_norms(build_model(make))))
# --8<-- [end:sure]
