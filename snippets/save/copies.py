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
        x: Some rows, no dataset, on which the two have to predict the same.
    """
    for optimizer in optimizers_in(model):
        if not optimizer.built:  # the copy's is: flags may have changed
            raise ValueError("not trained yet: copy it, then compile both")
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
    for key, each in enumerate(optimizers_in(model)):
        for i, variable in enumerate(each.variables):
            found[key, i] = variable.numpy()
        # exclude_from_weight_decay leaves an attribute, and no array.
        for name in vars(getattr(each, "inner_optimizer", each)):
            if not name.endswith("_cache"):
                found[key, name] = True
    return found


def optimizers_in(model):
    """Return the optimizers in attributes of any layer, lists and dicts."""
    held = []
    for layer in layers_in(model, {}).values():
        for value in vars(layer).values():
            value = [*value.values()] if isinstance(value, dict) else value
            held.extend(value if isinstance(value, (list, tuple)) else [value])
    return [o for o in held if isinstance(o, keras.optimizers.Optimizer)]


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
step, steps = twin.optimizer.iterations, model.optimizer.iterations
print("steps:", step.numpy(), steps.numpy())
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


for frozen, excluded in [(False, []), (True, []), (False, ["gamma", "beta"])]:
    block = Block(name="block")
    net = keras.Sequential(
        [keras.Input(shape=(8,)), block, keras.layers.Dense(3)]
    )
    block.bn.trainable = not frozen
    decay = keras.optimizers.AdamW(0.01, weight_decay=0.5)
    if excluded:
        decay.exclude_from_weight_decay(var_names=excluded)
    net.compile(decay, "mse", run_eagerly=True)
    net.train_on_batch(x, x[:, :3])
    twin = copy.deepcopy(net)
    for each in [net, twin]:
        each.train_on_batch(x, x[:, :3])
    gammas = [each.get_layer("block").bn.gamma for each in [net, twin]]
    print(f"frozen: {frozen}, excluded: {excluded}")
    print("deepcopy trains alike:", np.allclose(*gammas, atol=1e-3))
    try:
        copy_of(net, x[:32])
        print("copy_of returns a copy")
    except ValueError as error:
        print(f"ValueError: {str(error)[:51]} ...")
# --8<-- [end:refuses]

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
    before = sum(map(np.array_equal, source.weights, target.weights))
    target.set_weights(source.get_weights())
    after = sum(map(np.array_equal, source.weights, target.weights))
    print(f"{name:5} {before}, then {after} of {len(source.weights)} equal")
# --8<-- [end:part]

# --8<-- [start:dump]
import pickle

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
print("continues after step", int(reloaded.optimizer.iterations.numpy()))
# --8<-- [end:reload]
