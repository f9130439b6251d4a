# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 8)).astype("float32")
model = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.Dense(4),
        keras.layers.BatchNormalization(),
    ]
)
for _ in range(5):
    model(x, training=True)  # moves the statistics
# --8<-- [end:setup]

# --8<-- [start:see]
expected = model(x, training=False).numpy()
saved = [variable.numpy() for variable in model.weights]


def as_before(one):
    return np.array_equal(one(x, training=False), expected)


same_model, variables = model, model.weights
print("before:         ", as_before(same_model))
model(x * 10, training=True)  # no optimizer, no step
print("other = model:  ", as_before(same_model))
print("model.weights:  ", all(map(np.array_equal, variables, saved)))
# --8<-- [end:see]

# --8<-- [start:fix]
import copy

model.set_weights(saved)
kept = copy.deepcopy(model)
arrays = model.get_weights()
model(x * 10, training=True)
# --8<-- [end:fix]

# --8<-- [start:sure]
print("the model:      ", as_before(model))
print("deepcopy:       ", as_before(kept))
print("get_weights():  ", all(map(np.array_equal, arrays, saved)))
model.set_weights(kept.get_weights())
print("set back:       ", as_before(model))
# --8<-- [end:sure]
