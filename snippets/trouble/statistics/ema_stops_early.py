# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 4)).astype("float32")
y = x[:, :1] - x[:, 1:2]


def build():
    model = keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.Dense(8),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.ReLU(),
            keras.layers.Dense(1),
        ]
    )
    optimizer = keras.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.9)
    model.compile(optimizer, "mse", run_eagerly=True)
    return model


beginning = build().get_weights()
known = {}


class Record(keras.callbacks.Callback):
    """Takes down weights and averages of each epoch; the first of a list."""

    def on_epoch_end(self, epoch, logs=None):
        slots = self.model.optimizer.variables
        averages = [v.numpy() for v in slots if v.path.endswith("_average")]
        trained = [v.numpy() for v in self.model.trainable_variables]
        known[f"trained {epoch + 1}"] = trained
        known[f"averages {epoch + 1}"] = averages


def which(model):
    for name, arrays in known.items():
        # SwapEMAWeights swaps by adding and subtracting, which rounds.
        close = [
            np.allclose(a, b, atol=1e-4)
            for a, b in zip(model.trainable_variables, arrays)
        ]
        if all(close):
            return name


# --8<-- [end:setup]


# --8<-- [start:see]
def run(case, *callbacks, epochs=3):
    model = build()
    model.set_weights(beginning)
    settings = {"epochs": epochs, "shuffle": False, "verbose": 0}
    model.fit(x, y, callbacks=[Record(), *callbacks], **settings)
    print(f"{case:21} after epoch {len(model.history.epoch)}: {which(model)}")


def stop(**options):
    # Nothing improves by that much, so it stops after the second epoch.
    return keras.callbacks.EarlyStopping(
        "loss", min_delta=1e6, patience=1, **options
    )


def swap():
    return keras.callbacks.SwapEMAWeights(swap_on_epoch=True)


run("not stopped", swap())
run("EarlyStopping", stop())
run("restore_best_weights", stop(restore_best_weights=True))
run("swap_on_epoch=True", swap(), stop())
# --8<-- [end:see]

# --8<-- [start:fix]
save = keras.callbacks.ModelCheckpoint("epoch-{epoch}.keras")
run("stopped", save, stop(restore_best_weights=True))
model = keras.saving.load_model("epoch-2.keras")
print("epoch-2.keras:", which(model))
model.optimizer.finalize_variable_values(model.trainable_variables)
print("averages written:", which(model))
# --8<-- [end:fix]

# --8<-- [start:sure]
from bn_tools import estimate_again

dense, bn = model.layers[:2]
features = np.mean(dense(x), axis=0)
print("statistics fit:", np.allclose(bn.moving_mean, features, atol=1e-3))
estimate_again(model, [x])
print("estimated, fit:", np.allclose(bn.moving_mean, features, atol=1e-3))
# --8<-- [end:sure]
