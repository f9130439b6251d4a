# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 8)).astype("float32")


@keras.saving.register_keras_serializable(package="mine")
class Unit(keras.layers.Layer):  # has no build
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(16)
        self.bn = keras.layers.BatchNormalization()

    def call(self, x, training=None):
        return self.bn(self.dense(x), training=training)


@keras.saving.register_keras_serializable(package="mine")
class NoBuild(keras.Model):  # has no build either
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.unit = Unit()
        self.out = keras.layers.Dense(3)

    def call(self, x, training=False):
        return self.out(self.unit(x, training=training))


# --8<-- [end:setup]


# --8<-- [start:see]
@keras.saving.register_keras_serializable(package="mine")
class Net(NoBuild):
    def build(self, input_shape):
        self.unit.build(input_shape)  # builds nothing
        self.out.build((*input_shape[:-1], 16))


def report(model, loaded):
    print(f"{type(loaded).__name__}: {len(loaded.weights)} arrays", end=", ")
    equal = np.array_equal(model(x, training=False), loaded(x, training=False))
    print("predictions equal:", equal)


for cls in [NoBuild, Net]:
    model = cls()
    model(x, training=True)  # moves the statistics
    model.save("model.keras")
    report(model, keras.saving.load_model("model.keras"))
# --8<-- [end:see]


# --8<-- [start:fix]
def build_unit(self, input_shape):
    self.dense.build(input_shape)
    self.bn.build((*input_shape[:-1], 16))


build_net = Net.build
Net.build = NoBuild.build  # take `build` out of the class
report(model, keras.saving.load_model("model.keras"))  # the file of before
Net.build, Unit.build = build_net, build_unit  # or give the inner class one
report(model, keras.saving.load_model("model.keras"))
# --8<-- [end:fix]

# --8<-- [start:sure]
for Unit.build in [keras.layers.Layer.build, build_unit]:
    loaded = keras.saving.load_model("model.keras")
    # Before the first call, which makes what is missing.
    print("complete:", len(loaded.weights) == len(model.weights))
# --8<-- [end:sure]
