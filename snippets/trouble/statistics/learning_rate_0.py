# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
noise = np.random.normal(size=(2000, 5))
x = [5, 3, 8, 0, 1] + noise * [0.5, 1, 1.5, 0.5, 2]
y = np.argmax(noise, axis=1)

model = keras.Sequential(
    [
        keras.Input(shape=(5,)),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(5, kernel_initializer="identity"),
    ]
)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile("adam", loss)
model.fit(x[:400], y[:400], batch_size=100, verbose=0)  # 4 steps
arrays = [v.numpy() for v in model.trainable_variables]
# The first two are the step count and the learning rate.
moments = [v.numpy() for v in model.optimizer.variables[2:]]


def show(case):
    right = np.mean(np.argmax(model(x, training=False), axis=1) == y)
    same = all(map(np.array_equal, arrays, model.trainable_variables))
    kept = all(map(np.array_equal, moments, model.optimizer.variables[2:]))
    print(f"{case:15} {right > 0.9!s:10} {same!s:13} {kept}")


model.save("model.keras")
# --8<-- [end:setup]

# --8<-- [start:see]
model.optimizer.learning_rate = 0.0
print(f"{'':15} above 0.9  weights kept  moments kept")
for case, epochs in {"20 steps": 1, "500 steps": 24}.items():
    model.fit(x, y, batch_size=100, epochs=epochs, verbose=0)
    show(case)
# --8<-- [end:see]

# --8<-- [start:fix]
from bn_tools import estimate_again

model = keras.saving.load_model("model.keras")
show("from the file")
estimate_again(model, [x])
show("estimate_again")
# --8<-- [end:fix]

# --8<-- [start:sure]
from bn_tools import batch_norms

(bn,) = batch_norms(model)
for name, array, right in [
    ("mean", bn.moving_mean, x.mean(axis=0)),
    ("variance", bn.moving_variance, x.var(axis=0)),
]:
    print(f"{name} of the inputs:", np.allclose(array, right, 1e-3))
print("learning rate above 0:", model.optimizer.learning_rate.numpy() > 0)
# --8<-- [end:sure]
