# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 8)).astype("float32")


@keras.saving.register_keras_serializable()
class Kept(keras.layers.Layer):
    def __init__(self, place, **kwargs):
        super().__init__(**kwargs)
        self.place = place
        if place != "made in build":
            self.put()

    def put(self):
        dense, bn = keras.layers.Dense(16), keras.layers.BatchNormalization()
        self.parts = {
            "made in build": (dense, bn),
            "tuple": (dense, bn),
            "list": [dense, bn],
            "dict": {"a": dense, "b": bn},
            "tuple of tuples": ((dense,), (bn,)),
            "list of lists": [[dense], [bn]],
        }[self.place]

    def build(self, input_shape):
        if self.place == "made in build":
            self.put()
        dense, bn = tf.nest.flatten(self.parts)
        dense.build(input_shape)
        bn.build((*input_shape[:-1], 16))

    def call(self, x, training=None):
        dense, bn = tf.nest.flatten(self.parts)
        return bn(dense(x), training=training)

    def get_config(self):
        return {**super().get_config(), "place": self.place}


PLACES = "made in build,tuple,list,dict,tuple of tuples,list of lists".split(
    ","
)


def build_model(place):
    layers = [keras.Input(shape=(8,)), Kept(place), keras.layers.Dense(3)]
    return keras.Sequential(layers)


# --8<-- [end:setup]


# --8<-- [start:see]
def by_keras(model, fresh):
    model.save("model.keras")
    return keras.saving.load_model("model.keras")


def by_weights(model, fresh):
    model.save_weights("trip.weights.h5")
    fresh.load_weights("trip.weights.h5")
    return fresh


def by_checkpoint(model, fresh):
    path = tf.train.Checkpoint(model=model).save("trip/net")
    status = tf.train.Checkpoint(model=fresh).restore(path)
    status.assert_existing_objects_matched()
    return fresh


def row(place, ways):
    model = build_model(place)
    model(x, training=True)  # moves the statistics
    line = f"{place:18}"
    for way in ways:
        other = way(model, build_model(place))
        same = np.array_equal(
            model(x, training=False), other(x, training=False)
        )
        line += f"{'equal' if same else 'lost':14}"
    print(line.rstrip())


print(f"{'':18}{'.keras':14}{'.weights.h5':14}Checkpoint")
for place in PLACES:
    row(place, [by_keras, by_weights, by_checkpoint])
# --8<-- [end:see]


# --8<-- [start:fix]
def with_arrays(model, fresh):
    saved = tf.train.Checkpoint(model=model, arrays=model.variables)
    path = saved.save("trip/net")
    found = tf.train.Checkpoint(model=fresh, arrays=fresh.variables)
    found.restore(path).assert_existing_objects_matched()
    return fresh


# --8<-- [end:fix]

# --8<-- [start:sure]
for place in PLACES:
    row(place, [with_arrays])
# --8<-- [end:sure]
