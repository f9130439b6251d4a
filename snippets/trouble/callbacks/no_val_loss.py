# --8<-- [start:setup]
import warnings

import keras
import numpy as np

x = np.random.default_rng(0).normal(5, 3, size=(64, 4))
y = x[:, :1]


def train(**settings):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(1),
        ]
    )
    rate = keras.callbacks.LearningRateScheduler(
        lambda epoch: [0.01, 1.0][epoch]
    )
    model.compile(optimizer="sgd", loss="mse", run_eagerly=True)
    best = keras.callbacks.ModelCheckpoint("best.keras", save_best_only=True)
    model.fit(x, y, epochs=2, callbacks=[rate, best], verbose=0, **settings)
    return model


def report(model):
    loaded = keras.saving.load_model("best.keras")
    equal = map(np.array_equal, model.weights, loaded.weights)
    print("the file holds the last epoch:", all(equal))


# --8<-- [end:setup]

# --8<-- [start:see]
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    model = train()
found = [w for w in caught if w.category is UserWarning]
print(*{f"UserWarning: {w.message}" for w in found})
report(model)
# --8<-- [end:see]

# --8<-- [start:stopping]
for settings in [{}, {"validation_data": (x, y)}]:
    model = train()
    stop = keras.callbacks.EarlyStopping()
    with warnings.catch_warnings(record=True, action="always") as caught:
        fitted = model.fit(
            x, y, epochs=9, callbacks=[stop], verbose=0, **settings
        )
    print("epochs:", len(fitted.epoch))
    for said in {str(w.message).partition(".")[0] for w in caught}:
        print("UserWarning:", said)
# --8<-- [end:stopping]

# --8<-- [start:fix]
model = train(validation_data=(x, y))
report(model)
# --8<-- [end:fix]

# --8<-- [start:sure]
with warnings.catch_warnings():
    warnings.filterwarnings("error", message="Can save best model only")
    for settings in [{}, {"validation_data": (x, y)}]:
        try:
            train(**settings)
            print("trained")
        except UserWarning:
            print("stopped in the first epoch")
# --8<-- [end:sure]
