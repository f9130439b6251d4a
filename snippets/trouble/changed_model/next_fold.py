# --8<-- [start:setup]
import keras
import numpy as np
from bn_tools import batch_norms

keras.utils.set_random_seed(0)
x = np.random.normal(size=(288, 100)).astype("float32")
y = np.random.randint(0, 2, size=288)  # tossed coins: nothing to learn
folds = np.array_split(np.random.permutation(288), 3)


def build():
    model = keras.Sequential(
        [
            keras.Input(shape=(100,)),
            keras.layers.Dense(64, name="dense"),
            keras.layers.BatchNormalization(name="bn"),
            keras.layers.ReLU(),
            keras.layers.Dense(1, activation="sigmoid", name="out"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.SGD(0.1, momentum=0.9),
        loss="binary_crossentropy",
    )
    return model


def cross_validate(name, model_of_fold):
    scores = []
    for test in folds:
        train = np.setdiff1d(np.arange(288), test)
        model = model_of_fold()
        model.fit(x[train], y[train], epochs=10, verbose=0)
        predicted = model(x[test], training=False)[:, 0] > 0.5
        scores.append(np.mean(predicted == y[test]))
    print(f"{name:13} above 0.65:", *[score > 0.65 for score in scores])


# --8<-- [end:setup]

# --8<-- [start:see]
one = build()
cross_validate("one model", lambda: one)
cross_validate("one per fold", build)
# --8<-- [end:see]


# --8<-- [start:why]
def compiled(model):
    model.compile(optimizer="sgd", loss="mse")
    return model


one = build()
one.save("initial.keras")
one.save_weights("initial.weights.h5")
initial = one.get_weights()
one.fit(x, y, verbose=0)
one.save("trained.keras")
ways = {
    "fit again": lambda model: model,
    "compile": compiled,
    "clear_session": lambda model: keras.utils.clear_session() or model,
    "set_weights": lambda model: model.set_weights(initial) or model,
    "load_weights": lambda m: m.load_weights("initial.weights.h5") or m,
    "clone_model": lambda m: compiled(keras.models.clone_model(m)),
    "load_model": lambda m: keras.saving.load_model("initial.keras"),
    "build": lambda m: build(),
}
print("               weights  statistics  optimizer")
for name, way in ways.items():
    model = way(keras.saving.load_model("trained.keras"))
    kernel = model.get_layer("dense").kernel
    kept = [
        np.array_equal(kernel, one.get_layer("dense").kernel),
        np.any(model.get_layer("bn").moving_mean),
        model.optimizer.iterations > 0,
    ]
    weights, statistics, optimizer = ["kept" if k else "new" for k in kept]
    print(f"{name:14} {weights:8} {statistics:11} {optimizer}")
# --8<-- [end:why]


# --8<-- [start:fix]
def leftovers(model):
    """Return what the model has, and a new one from code has not."""
    found = []
    for bn in batch_norms(model):
        path = bn.moving_mean.path.rpartition("/")[0]
        if np.any(bn.moving_mean) or np.any(bn.moving_variance.numpy() != 1):
            found.append(f"{path}: its statistics are not 0 and 1")
    if model.optimizer is not None and int(model.optimizer.iterations):
        found.append(
            f"the optimizer is at step {int(model.optimizer.iterations)}"
        )
    return found


def new_model():
    keras.utils.clear_session()  # for the memory and the names of the layers
    model = build()
    assert not leftovers(model), leftovers(model)
    return model


cross_validate("new_model", new_model)
# --8<-- [end:fix]


# --8<-- [start:same]
def from_file():
    return keras.saving.load_model("initial.keras")


cross_validate("from_file", from_file)
# --8<-- [end:same]

# --8<-- [start:sure]
base = keras.Sequential(
    [keras.Input(shape=(100,)), keras.layers.BatchNormalization(name="bn")],
    name="base",
)


def around_base():
    outputs = keras.layers.Dense(1)(base.outputs[0])
    return compiled(keras.Model(base.inputs, outputs))


for fold in [1, 2]:
    model = around_base()
    print(f"fold {fold}:", leftovers(model))
    model.fit(x, y, verbose=0)
print("as it is now:", *leftovers(model), sep="\n    ")
# --8<-- [end:sure]

# --8<-- [start:checkpoint]
best = keras.callbacks.ModelCheckpoint(
    "best.keras", monitor="loss", save_best_only=True
)
model = build()
model.fit(x, y, epochs=5, verbose=0, callbacks=[best])
first = model.get_weights()
for name, callback in {
    "one callback": best,
    "one per fold": keras.callbacks.ModelCheckpoint(
        "best.keras", monitor="loss", save_best_only=True
    ),
}.items():
    build().fit(x, y, verbose=0, callbacks=[callback])
    held = keras.saving.load_model("best.keras").get_weights()
    same = all(map(np.array_equal, held, first))
    print(f"{name}: the file holds the model of fold 1: {same}")
# --8<-- [end:checkpoint]
