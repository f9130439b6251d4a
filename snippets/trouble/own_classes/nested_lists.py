# --8<-- [start:setup]
import h5py
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 8)).astype("float32")


@keras.saving.register_keras_serializable()
class Nested(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.parts = self.make()

    def make(self):
        dense, bn = keras.layers.Dense(4), keras.layers.BatchNormalization()
        return [[dense], [bn]]

    def call(self, x, training=None):
        return self.parts[1][0](self.parts[0][0](x), training=training)


def build_model(layer):
    model = keras.Sequential([keras.Input(shape=(8,)), layer])
    model(x[:1])  # makes the arrays
    return model


def save_as_before_3_15(model, path):
    model.save_weights(path)
    with h5py.File(path, "r+") as file:
        groups = []
        file.visit(groups.append)
        nested = [group for group in groups if "/container" in group]
        for name in {group.partition("/container")[0] for group in nested}:
            del file[name]


# --8<-- [end:setup]

# --8<-- [start:see]
import warnings


def report(what, model, fresh, path):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fresh.load_weights(path)
    equal = sum(map(np.array_equal, model.weights, fresh.weights))
    print(f"{what}: {equal} of {len(model.weights)} arrays equal")
    for warning in caught:
        print(f"{warning.category.__name__}: {warning.message}")


model = build_model(Nested())
for variable in model.weights:
    variable.assign_add(variable + 1)  # as if trained
model.save_weights("now.weights.h5")
report("Keras 3.15", model, build_model(Nested()), "now.weights.h5")
save_as_before_3_15(model, "old.weights.h5")
report("before", model, build_model(Nested()), "old.weights.h5")
# --8<-- [end:see]

# --8<-- [start:fix]
np.savez("arrays.npz", *model.get_weights())  # where the model is in memory
rescued = build_model(Nested())
rescued.set_weights([*np.load("arrays.npz").values()])


@keras.saving.register_keras_serializable()
class Flat(keras.layers.Layer):  # for new files
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        for i, block in enumerate(self.make()):
            setattr(self, f"block_{i}", block)

    def make(self):
        return [keras.layers.Dense(4), keras.layers.BatchNormalization()]

    def call(self, x, training=None):
        return self.block_1(self.block_0(x), training=training)


# --8<-- [end:fix]

# --8<-- [start:sure]
equal = sum(map(np.array_equal, model.weights, rescued.weights))
print(f"arrays.npz: {equal} of {len(model.weights)} arrays equal")
flat = build_model(Flat())
flat.set_weights(model.get_weights())
save_as_before_3_15(flat, "flat.weights.h5")
report("flat, before", flat, build_model(Flat()), "flat.weights.h5")
# --8<-- [end:sure]
