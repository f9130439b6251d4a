# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(200, 8)).astype("float32")
model = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.Dense(4),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.Dropout(0.1, name="dropout"),
    ]
)
model.compile(optimizer="adam", loss="mse")
model.fit(x, x[:, :4], verbose=0)


def predictions_equal(one, other):
    return np.array_equal(one(x, training=False), other(x, training=False))


# --8<-- [end:setup]


# --8<-- [start:see]
def report(clone):
    bn = clone.get_layer("bn")
    at_start = not np.any(bn.moving_mean) and np.all(bn.gamma == 1)
    equal = predictions_equal(model, clone)
    print(f"at their start: {at_start}, predictions equal: {equal}")


clone = keras.models.clone_model(model)
report(clone)
# --8<-- [end:see]

# --8<-- [start:fix]
clone.set_weights(model.get_weights())
report(clone)
# --8<-- [end:fix]


# --8<-- [start:own]
class Doubled(keras.Sequential):
    def call(self, inputs, training=None, mask=None):
        return 2 * super().call(inputs, training=training, mask=mask)


def doubled():
    return Doubled([keras.Input(shape=(8,)), keras.layers.BatchNormalization()])


own = doubled()
for copied in [keras.models.clone_model(own), doubled()]:
    copied.set_weights(own.get_weights())
    name = type(copied).__name__
    print(f"{name:10} predictions equal: {predictions_equal(own, copied)}")
# --8<-- [end:own]

# --8<-- [start:ways]
import copy
import pickle


def from_config(model):
    return keras.Sequential.from_config(model.get_config())


def clone_and_set_weights(model):
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    return clone


def through_pickle(model):
    return pickle.loads(pickle.dumps(model))


def deepcopy_and_assign(model):
    twin = copy.deepcopy(model)
    for ours, theirs in zip(model.variables, twin.variables, strict=True):
        theirs.assign(ours)  # what Dropout draws from, too
    return twin


# --8<-- [end:ways]

# --8<-- [start:sure]
NAMES = ["gamma", "beta", "moving_mean", "moving_variance"]
saved = model.get_weights()
step = int(model.optimizer.iterations.numpy())
masks = model.get_layer("dropout").seed_generator.state.numpy()

print(f"{'':24}arrays  predictions  independent  step  masks drawn")
for way in [
    keras.models.clone_model,
    from_config,
    clone_and_set_weights,
    copy.deepcopy,
    copy.copy,
    through_pickle,
    deepcopy_and_assign,
]:
    other = way(model)
    bn, bn_2 = model.get_layer("bn"), other.get_layer("bn")
    arrays = all(
        np.array_equal(getattr(bn, n), getattr(bn_2, n)) for n in NAMES
    )
    predictions = predictions_equal(model, other)
    same_step = other.compiled and other.optimizer.iterations.numpy() == step
    state = other.get_layer("dropout").seed_generator.state
    same_masks = np.array_equal(state, masks)

    before = other.get_weights()
    model.set_weights([array + 1 for array in saved])
    independent = all(map(np.array_equal, before, other.get_weights()))
    model.set_weights(saved)

    line = f"{way.__name__:24}"
    row = [arrays, predictions, independent, same_step, same_masks]
    for value, width in zip(row, [8, 13, 13, 6, 0], strict=True):
        line += f"{'yes' if value else 'no':{width}}"
    print(line)
# --8<-- [end:sure]
