# --8<-- [start:see]
import keras
import numpy as np

x = np.random.default_rng(0).normal(5, 3, size=(64, 4))


def fit_backed_up(model):
    model.compile(optimizer="sgd", loss="mse", run_eagerly=True)
    backup = keras.callbacks.BackupAndRestore("backup")
    try:
        history = model.fit(x, x, callbacks=[backup], verbose=0)
        print("epochs:", history.epoch)
    except ValueError as error:
        print("ValueError:", str(error).partition(" Model")[0])


model = keras.Sequential([keras.layers.BatchNormalization()], name="mine")
fit_backed_up(model)
# --8<-- [end:see]

# --8<-- [start:fix]
layers = [keras.Input(shape=(4,)), keras.layers.BatchNormalization()]
fit_backed_up(keras.Sequential(layers))
# --8<-- [end:fix]

# --8<-- [start:call]
model(x[:1])
fit_backed_up(model)
# --8<-- [end:call]

# --8<-- [start:sure]
for layers in [[], [keras.Input(shape=(4,))]]:
    model = keras.Sequential([*layers, keras.layers.BatchNormalization()])
    print("built:", model.built, "arrays:", len(model.weights))
# --8<-- [end:sure]
