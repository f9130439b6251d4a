# --8<-- [start:setup]
import keras
import numpy as np
from bn_diagnosis import explain, measure
from bn_tools import write_record

noise = np.random.default_rng(0).normal(size=(256, 4))
x = (np.arange(4) + 0.1 * noise).astype("float32")
y = np.argmax((x - x.mean(axis=0)) / x.std(axis=0), axis=1)

norm = keras.layers.BatchNormalization(name="bn")
model = keras.Sequential([keras.Input((4,)), norm])
norm.moving_mean.assign(x.mean(axis=0))
norm.moving_variance.assign(x.var(axis=0))
write_record("model.npz", model, x[:32])


def accuracy(targets, outputs):
    return np.mean(np.argmax(outputs, axis=-1) == targets)


# --8<-- [end:setup]

# --8<-- [start:measure]
fresh = keras.models.clone_model(model)  # without the statistics
for loaded in [model, fresh]:
    result = measure(loaded, (x, y), (x, y), accuracy, record="model.npz")
    found = result.pop("found")
    for name, value in result.items():
        text = value if isinstance(value, str) else f"{value:.1f}"
        print(f"{name:12}{text}")
    print("found:", *found, sep="\n    ")
# --8<-- [end:measure]

# --8<-- [start:explain]
for seen in [x, x[:, ::-1], x / 255, 2 * x - 1]:
    print(explain(x, seen))
# --8<-- [end:explain]
