# --8<-- [start:setup]
import keras
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

x, y = load_digits(return_X_y=True)
x = (x / 16).astype("float32")
x, x_test, y, y_test = train_test_split(
    x, y, train_size=1344, stratify=y, random_state=0
)
batches = np.array_split(x, 2)
keras.utils.set_random_seed(0)
net = keras.Sequential([keras.Input(shape=(64,))])
for _ in range(4):
    net.add(keras.layers.Dense(128, use_bias=False))
    net.add(keras.layers.BatchNormalization(momentum=0.9))
    net.add(keras.layers.ReLU())
net.add(keras.layers.Dense(10))
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
net.compile(keras.optimizers.SGD(2.0), loss)
start = net.get_weights()

for seed in [0, 1, 2]:
    keras.utils.set_random_seed(seed)  # another order of the data
    net.set_weights(start)
    net.fit(x, y, epochs=3, verbose=0)
    net.save(f"run-{seed}.keras")

net.set_weights(start)
net.optimizer.learning_rate = 0.1
save = keras.callbacks.ModelCheckpoint("swa-{epoch}.keras")
net.fit(x, y, epochs=4, callbacks=[save], verbose=0)
# --8<-- [end:setup]


# --8<-- [start:see]
def good(net):
    answers = np.argmax(net(x_test, training=False), axis=1)
    return np.mean(answers == y_test) > 0.75


def by_hand(case, files):
    models = [keras.saving.load_model(file) for file in files]
    arrays = zip(*(model.get_weights() for model in models))
    means = [np.mean(each, axis=0) for each in arrays]
    last = models[-1].weights
    mixed = [m if w.trainable else w.numpy() for m, w in zip(means, last)]
    found = [all(map(good, models))]
    for weights in [mixed, means]:
        net.set_weights(weights)
        found.append(good(net))
    print(f"{case:18}", *(f"{each!s:6}" for each in found))
    return models


print("above 0.75         each   last   averaged statistics")
runs = by_hand("three runs", [f"run-{seed}.keras" for seed in range(3)])
epochs = by_hand("epochs of one run", [f"swa-{i}.keras" for i in [2, 3, 4]])
# --8<-- [end:see]

# --8<-- [start:fix]
from bn_tools import batch_norms, estimate_again


def average(models, batches):
    """Set the last of the models to the average of all, with statistics for it.

    Estimated are the layers whose moving mean differs between the models.

    After an error the last model is as it was.

    Args:
        models: Models of the same structure, loaded from files.
        batches: Inputs in batches, as for ``estimate_again``.

    Returns:
        The last model.
    """
    last = models[-1]
    differ = [
        layer
        for layer, *others in zip(batch_norms(last), *map(batch_norms, models))
        if np.ptp([other.moving_mean.numpy() for other in others], axis=0).any()
    ]
    weights = [model.weights for model in models]  # of frozen layers, too
    before = last.get_weights()
    try:
        for variable, *of_all in zip(weights[-1], *weights, strict=True):
            if "float" in variable.dtype:
                arrays = [v.numpy().astype("float64") for v in of_all]
                variable.assign(np.mean(arrays, axis=0))
        if differ:
            estimate_again(last, batches, differ)
    except BaseException:  # else a second call averages an average
        last.set_weights(before)
        raise
    return last


# --8<-- [end:fix]

# --8<-- [start:sure]
for case, models in {"three runs": runs, "epochs": epochs}.items():
    print(f"{case:10} estimated, above 0.75:", good(average(models, batches)))
# --8<-- [end:sure]
