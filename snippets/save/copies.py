# --8<-- [start:recipe]
import copy
import io

import keras
import numpy as np

from bn_tools import compare, layers_in, write_record


def copy_of(model, x):
    """Return a copy of a model, or raise where it is not the same.

    Compared are arrays, predictions, flags, dtype policies and optimizers.

    Args:
        model: A Keras model that has its arrays.
        x: Some inputs, on which the two have to predict the same.
    """
    twin = copy.deepcopy(model)
    for ours, theirs in zip(model.variables, twin.variables, strict=True):
        theirs.assign(ours)  # what Dropout draws from, too
    record = io.BytesIO()
    write_record(record, model, x)
    found = []
    for each in [model, twin]:
        record.seek(0)
        found.append(compare(record, each))
    # An untrained model is reported as untrained, and so may its copy be.
    problems = [problem for problem in found[1] if problem not in found[0]]
    ours, theirs = of_optimizers(model), of_optimizers(twin)
    if ours.keys() != theirs.keys() or not all(
        np.array_equal(ours[key], theirs[key]) for key in ours
    ):
        problems.append("the optimizers differ")
    if problems:
        raise ValueError(f"the copy is not the same: {problems}")
    return twin


def of_optimizers(model):
    """Return arrays and attributes' names of all optimizers, in any layer."""
    found = {}
    for number, layer in enumerate(layers_in(model, {}).values()):
        held = []  # attributes, and what is in them one by one
        for value in vars(layer).values():
            value = [*value.values()] if isinstance(value, dict) else value
            held += value if isinstance(value, (list, tuple)) else [value]
        for each in held:
            if isinstance(each, keras.optimizers.Optimizer):
                key = number, len(found)
                for i, variable in enumerate(each.variables):
                    found[key, i] = variable.numpy()
                # exclude_from_weight_decay leaves an attribute, and no array.
                for name in vars(getattr(each, "inner_optimizer", each)):
                    if not name.endswith("_cache"):
                        found[key, name] = True
    return found


# --8<-- [end:recipe]

# --8<-- [start:model]
keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(500, 8)).astype("float32")
y = np.argmax(x[:, :3], axis=1)

model = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.Dense(16, activation="relu", name="dense"),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.Dropout(0.1, name="dropout"),
        keras.layers.Dense(3, activation="softmax", name="out"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
model.fit(x, y, batch_size=20, epochs=5, verbose=0)


def predictions_equal(one, other):
    return np.array_equal(one(x, training=False), other(x, training=False))


# --8<-- [end:model]

# --8<-- [start:use]
twin = copy_of(model, x[:32])
expected = model(x, training=False).numpy()
print("equal:", predictions_equal(model, twin))

twin.fit(x, y, batch_size=20, epochs=1, verbose=0)
print("equal after the copy was trained on:", predictions_equal(model, twin))
print("steps:", int(twin.optimizer.iterations), int(model.optimizer.iterations))
print("model as before:", np.array_equal(model(x, training=False), expected))
# --8<-- [end:use]


# --8<-- [start:refuses]
@keras.saving.register_keras_serializable(package="demo")
class Block(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.bn = keras.layers.BatchNormalization(name="bn")

    def call(self, x, training=False):
        return self.bn(x, training=training)


for frozen in [False, True]:
    block = Block(name="block")
    net = keras.Sequential([keras.Input(shape=(8,)), block])
    block.bn.trainable = not frozen
    print("frozen:", frozen, "in a deepcopy:", end=" ")
    print(not copy.deepcopy(net).layers[0].bn.trainable)
    try:
        copy_of(net, x[:32])
        print("copy_of returns a copy")
    except ValueError as error:
        print(f"ValueError: {str(error)[:44]} ...")
# --8<-- [end:refuses]


# --8<-- [start:ways]
import pickle


def from_config(model):
    return keras.Sequential.from_config(model.get_config())


def clone_and_set_weights(model):
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    return clone


def through_pickle(model):
    return pickle.loads(pickle.dumps(model))


def checked(model):
    return copy_of(model, x[:32])


# --8<-- [end:ways]

# --8<-- [start:table]
NAMES = ["gamma", "beta", "moving_mean", "moving_variance"]
yes_no = {True: "yes", False: "no"}
saved = model.get_weights()
masks = model.get_layer("dropout").seed_generator.state.numpy()

print(f"{'':24}arrays  predictions  independent  step  masks drawn")
for way in [
    keras.models.clone_model,
    from_config,
    clone_and_set_weights,
    copy.deepcopy,
    copy.copy,
    through_pickle,
    checked,
]:
    other = way(model)
    bn, bn_2 = model.get_layer("bn"), other.get_layer("bn")
    arrays = all(
        np.array_equal(getattr(bn, n), getattr(bn_2, n)) for n in NAMES
    )
    predictions = predictions_equal(model, other)
    step = other.compiled and int(other.optimizer.iterations) == 125
    state = other.get_layer("dropout").seed_generator.state
    same_masks = np.array_equal(state, masks)

    before = other.get_weights()
    model.set_weights([array + 1 for array in saved])
    independent = all(map(np.array_equal, before, other.get_weights()))
    model.set_weights(saved)

    row = [arrays, predictions, independent, step, same_masks]
    print(f"{way.__name__:24}", end="")
    for value, width in zip(row, [8, 13, 13, 6, 0], strict=True):
        print(f"{yes_no[value]:{width}}", end="")
    print()
# --8<-- [end:table]

# --8<-- [start:clone]
cloned = keras.models.clone_model(model)
for filled in [False, True]:
    if filled:
        cloned.set_weights(model.get_weights())
    bn = cloned.get_layer("bn")
    start = np.all(bn.moving_mean.numpy() == 0), np.all(bn.gamma.numpy() == 1)
    print(f"at their start: {all(start)}", end="  ")
    print("predictions equal:", predictions_equal(model, cloned))
# --8<-- [end:clone]

# --8<-- [start:normalization]
normalization = keras.layers.Normalization()
normalization.adapt(x)
net = keras.Sequential(
    [keras.Input(shape=(8,)), normalization, keras.layers.BatchNormalization()]
)
clone = clone_and_set_weights(net)
print("arrays equal:", all(map(np.array_equal, net.weights, clone.weights)))
print("predictions equal:", predictions_equal(net, clone))
clone.layers[0].finalize_state()
print("finalized, equal: ", predictions_equal(net, clone))
print("copy_of, equal:   ", predictions_equal(net, copy_of(net, x[:32])))
# --8<-- [end:normalization]

# --8<-- [start:before]
kept = copy_of(model, x[:32])
same_model = model
arrays, variables = model.get_weights(), model.weights

model(x * 10, training=True)  # moves the statistics

for name, as_before in {
    "copy_of(model, x)": np.array_equal(kept(x, training=False), expected),
    "other = model": np.array_equal(same_model(x, training=False), expected),
    "get_weights()": all(map(np.array_equal, arrays, saved)),
    "weights": all(map(np.array_equal, variables, saved)),
}.items():
    print(f"{name:18} as before: {as_before}")

model.set_weights(kept.get_weights())
print("set back:", np.array_equal(model(x, training=False), expected))
# --8<-- [end:before]

# --8<-- [start:part]
other = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.Dense(16, activation="relu", name="dense"),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.Dense(5, activation="softmax", name="five_classes"),
    ]
)
for name in ["dense", "bn"]:
    source, target = model.get_layer(name), other.get_layer(name)
    before = list(
        map(np.array_equal, source.get_weights(), target.get_weights())
    )
    target.set_weights(source.get_weights())
    after = list(
        map(np.array_equal, source.get_weights(), target.get_weights())
    )
    print(f"{name:5} {sum(before)}, then {sum(after)} of {len(after)} equal")
# --8<-- [end:part]

# --8<-- [start:dump]
with open("model.pickle", "wb") as file:
    pickle.dump(model, file)
write_record("record.npz", model, x[:32])
# --8<-- [end:dump]

# --8<-- [start:reload]
import pickle

from bn_tools import compare

with open("model.pickle", "rb") as file:
    reloaded = pickle.load(file)
print("not the same:", compare("record.npz", reloaded))
print("continues after step", int(reloaded.optimizer.iterations))
# --8<-- [end:reload]


# --8<-- [start:excluded]
for excluded in [None, ["gamma", "beta"]]:
    decay = keras.optimizers.AdamW(0.01, weight_decay=0.5)
    if excluded:
        decay.exclude_from_weight_decay(var_names=excluded)
    bn = keras.layers.BatchNormalization(name="bn")
    net = keras.Sequential([keras.Input(shape=(8,)), bn])
    net.compile(decay, "mean_squared_error")
    net.fit(x, x, verbose=0)
    twin = copy.deepcopy(net)
    try:
        copy_of(net, x[:32])
        print("excluded:", excluded, "copied")
    except ValueError as error:
        problems = str(error).partition(": ")[2]
        print("excluded:", excluded, "ValueError:", problems)
    for each in [net, twin]:
        each.fit(x, x, verbose=0, shuffle=False)
    gammas = [each.get_layer("bn").gamma for each in [net, twin]]
    print("trained alike:", np.allclose(*gammas, atol=1e-3))
# --8<-- [end:excluded]


# --8<-- [start:unregistered]
class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.bn = keras.layers.BatchNormalization()
        self.out = keras.layers.Dense(3, activation="softmax")

    def call(self, x, training=False):
        return self.out(self.bn(x, training=training))


@keras.saving.register_keras_serializable(package="demo")
class RegisteredNet(Net):
    pass


for kind in [Net, RegisteredNet]:
    net = kind()
    for _ in range(10):
        net(x, training=True)
    for way in [copy.deepcopy, copy.copy, through_pickle, checked]:
        try:
            outcome = predictions_equal(net, way(net))
        except TypeError as error:
            outcome = "TypeError: " + str(error).partition(". ")[0]
        print(f"{way.__name__:14} {outcome}")
# --8<-- [end:unregistered]

# --8<-- [start:second]
net = Net()
for _ in range(10):
    net(x, training=True)

second = Net()
second(x[:1])  # creates the arrays
print("predictions equal before:", predictions_equal(net, second))
second.set_weights(net.get_weights())
print("predictions equal:", predictions_equal(net, second))
# --8<-- [end:second]
