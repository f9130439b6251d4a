# --8<-- [start:model]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(80, 8)).astype("float32")
y = x[:, :1] - x[:, 1:2]


def compiled(model):
    rate = keras.optimizers.schedules.CosineDecay(0.02, decay_steps=24)
    optimizer = keras.optimizers.SGD(rate, momentum=0.9)
    # A dozen steps are over sooner than TensorFlow has compiled them.
    model.compile(
        optimizer=optimizer, loss="mean_squared_error", run_eagerly=True
    )
    return model


def build():
    layers = [
        keras.Input(shape=(8,)),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.Dense(1),
    ]
    return compiled(keras.Sequential(layers))


def train(model, start, stop):
    model.fit(x, y, initial_epoch=start, epochs=stop, shuffle=False, verbose=0)
    return model


def state(model):
    return [v.numpy() for v in [*model.variables, *model.optimizer.variables]]


def same(one, other):
    pairs = zip(one, other, strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


keras.utils.set_random_seed(0)
uninterrupted = state(train(build(), 0, 4))
keras.utils.set_random_seed(0)
half = train(build(), 0, 2)
half.save("half.keras")
# --8<-- [end:model]

# --8<-- [start:files]
import copy

import tensorflow as tf

half.save_weights("half.weights.h5")
whole = tf.train.Checkpoint(model=half).save("whole/net")
only = tf.train.Checkpoint(arrays=half.variables).save("only/net")
copied = copy.deepcopy(half)
arrays = state(half)
# The last one: it takes the optimizer out of the compile settings of `half`.
half.save("half.h5")
# --8<-- [end:files]


# --8<-- [start:routes]
def ready():
    model = build()
    model.optimizer.build(model.trainable_variables)
    return model


def weights(model, path):
    model.load_weights(path)
    return model


def whole_model(model):
    status = tf.train.Checkpoint(model=model).restore(whole)
    status.assert_existing_objects_matched()
    return model


def arrays_only(model):
    checkpoint = tf.train.Checkpoint(arrays=model.variables)
    checkpoint.restore(only).assert_consumed()
    return model


load = keras.saving.load_model
routes = {
    ".keras": lambda: load("half.keras"),
    ".keras, compile=False": lambda: compiled(
        load("half.keras", compile=False)
    ),
    ".h5": lambda: load("half.h5"),
    ".weights.h5": lambda: weights(build(), "half.weights.h5"),
    ".weights.h5, built": lambda: weights(ready(), "half.weights.h5"),
    "Checkpoint(model)": lambda: whole_model(build()),
    "Checkpoint(model), built": lambda: whole_model(ready()),
    "Checkpoint of the arrays": lambda: arrays_only(ready()),
    "deepcopy": lambda: copied,
}
# --8<-- [end:routes]

# --8<-- [start:table]
import warnings

print(f"{'':26}arrays  step  two epochs on, bit for bit")
for route, load_half in routes.items():
    keras.utils.set_random_seed(1)  # other starting values than the first time
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = load_half()
    n = len(model.variables)
    equal = "equal" if same(state(model)[:n], arrays[:n]) else "differ"
    step = int(model.optimizer.iterations.numpy())
    try:
        train(model, 2, 4)
        exact = "yes" if same(state(model), uninterrupted) else "no"
    except ValueError:
        exact = "fit raises ValueError"
    if any("Skipping variable loading" in str(w.message) for w in caught):
        exact += ", after a UserWarning"
    print(f"{route:26}{equal:6}{step:6}  {exact}")
# --8<-- [end:table]
