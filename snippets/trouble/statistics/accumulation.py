# --8<-- [start:setup]
import keras
import numpy as np

x = np.random.default_rng(0).normal(5, 3, size=(32, 4)).astype("float32")
y = x[:, :1]


def normalized(norm, steps):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.Dense(16),
            norm,
            keras.layers.Dense(1),
        ]
    )
    optimizer = keras.optimizers.SGD(0.01, gradient_accumulation_steps=steps)
    # Eagerly, which is quicker for a step or four.
    model.compile(optimizer=optimizer, loss="mse", run_eagerly=True)
    return model


# --8<-- [end:setup]

# --8<-- [start:see]
model = normalized(keras.layers.BatchNormalization(), steps=4)
for i, rows in enumerate(np.split(np.arange(32), 4)):
    before = model.get_weights()
    model.train_on_batch(x[rows], y[rows])
    moved = {
        array.name
        for array, start in zip(model.weights, before)
        if not np.array_equal(array, start)
    }
    print(
        f"batch {i + 1}  kernels moved: {'kernel' in moved!s:5}  "
        f"statistics moved: {'moving_mean' in moved}"
    )
# --8<-- [end:see]


# --8<-- [start:step]
def same_step(name, **settings):
    kernels = []
    for steps in [None, 4]:
        norm = getattr(keras.layers, name)(**settings)
        model = normalized(norm, steps)
        for rows in np.split(np.arange(32), steps or 1):
            model.train_on_batch(x[rows], y[rows])
        kernels.append(model.layers[0].kernel.numpy())
    print(name, settings, "same step:", np.allclose(*kernels, atol=1e-5))


same_step("BatchNormalization")
# --8<-- [end:step]

# --8<-- [start:fix]
same_step("BatchNormalization", trainable=False)
same_step("GroupNormalization", groups=8)
same_step("LayerNormalization")
# --8<-- [end:fix]

# --8<-- [start:sure]
model = normalized(keras.layers.BatchNormalization(trainable=False), steps=4)
statistics = [w.numpy() for w in model.weights if "moving" in w.name]
model.fit(x, y, batch_size=8, verbose=0)
after = [w.numpy() for w in model.weights if "moving" in w.name]
print("frozen, statistics kept:", all(map(np.array_equal, statistics, after)))
# --8<-- [end:sure]
