# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
noise = np.random.normal(size=(2000, 5))
x = (5 + 0.1 * noise).astype("float32")
y = np.argmax(noise, axis=1)


def build_model(momentum):
    model = keras.Sequential(
        [
            keras.Input(shape=(5,)),
            keras.layers.BatchNormalization(momentum=momentum),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.BatchNormalization(momentum=momentum),
            keras.layers.Dense(5, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.SGD(0.3),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def accuracy(model):
    return np.mean(np.argmax(model(x, training=False), axis=1) == y)


# --8<-- [end:setup]

# --8<-- [start:see]
for momentum in [0.9, 0.99]:
    model = build_model(momentum)
    options = {"batch_size": 100, "epochs": 4, "verbose": 0}
    options |= {"validation_data": (x, y), "validation_freq": 4}
    reported = model.fit(x, y, **options).history
    model.save("model.keras")
    loaded = keras.saving.load_model("model.keras")
    print(f"momentum {momentum}, {model.optimizer.iterations.numpy()} steps")
    print("    fit reported more than 0.8:", reported["accuracy"][-1] > 0.8)
    print("    val_accuracy, over 0.6:    ", reported["val_accuracy"][-1] > 0.6)
    print("    loaded has more than 0.6:  ", accuracy(loaded) > 0.6)
# --8<-- [end:see]

# --8<-- [start:fix]
from bn_tools import estimate_again

before = model(x, training=False), loaded(x, training=False)
estimate_again(loaded, [x])
print("estimated again, more than 0.8:", accuracy(loaded) > 0.8)
# --8<-- [end:fix]

# --8<-- [start:sure]
print("saved and loaded predict the same:", np.array_equal(*before))
print("left of 0 and 1 after 80 steps:", f"{0.9**80:.2%} {0.99**80:.0%}")
# --8<-- [end:sure]
