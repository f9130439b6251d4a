# --8<-- [start:setup]
import keras
import numpy as np
from bn_tools import batch_norms

keras.utils.set_random_seed(0)
x_old = np.random.normal(0, 1, size=(350, 4)).astype("float32")
y = (x_old[:, 0] > 0).astype("float32")
x_new = 5 + 2 * x_old


def base_and_model(**arguments):
    """Return a base, and a model that has learned the old task with it."""
    bn = keras.layers.BatchNormalization()  # statistics of the old data: 0, 1
    base = keras.Sequential([keras.Input(shape=(4,)), bn])
    inputs = keras.Input(shape=(4,))
    head = keras.layers.Dense(1, activation="sigmoid")
    model = keras.Model(inputs, head(base(inputs, **arguments)))
    head.set_weights([np.array([[9], [0], [0], [0]]), np.zeros(1)])
    return base, model


def learned(model):
    return np.mean(np.ravel(model(x_old, training=False) > 0.5) == y) > 0.8


def fit_on_new(name, base, model):
    before, old_task = base.get_weights(), learned(model)
    model.compile(keras.optimizers.SGD(1e-5), "binary_crossentropy")
    model.fit(x_new, y, batch_size=10, verbose=0)
    kept = all(map(np.array_equal, before[2:], base.get_weights()[2:]))
    print(f"{name}: statistics kept: {kept}")
    print(f"    old task, above 0.8: {old_task}, then {learned(model)}")


# --8<-- [end:setup]

# --8<-- [start:see]
fit_on_new("base(x)", *base_and_model())
fit_on_new("base(x, training=False)", *base_and_model(training=False))
# --8<-- [end:see]

# --8<-- [start:fix]
base, model = base_and_model()
for layer in batch_norms(base):
    layer.trainable = False
# --8<-- [end:fix]

# --8<-- [start:sure]
fit_on_new("each norm frozen", base, model)
# --8<-- [end:sure]
