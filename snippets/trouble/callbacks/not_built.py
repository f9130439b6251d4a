# --8<-- [start:see]
import keras
import numpy as np

x = np.random.default_rng(0).normal(5, 3, size=(64, 4))


def backed_up(*layers):
    model = keras.Sequential(layers, name="mine")
    model.compile(optimizer="sgd", loss="mse", run_eagerly=True)
    backup = keras.callbacks.BackupAndRestore("backup")
    try:
        history = model.fit(x, x, callbacks=[backup], verbose=0)
        print("epochs:", history.epoch)
    except ValueError as error:
        print("ValueError:", str(error).partition(" Model")[0])
    return model


model = backed_up(keras.layers.BatchNormalization())
# --8<-- [end:see]

# --8<-- [start:fix]
backed_up(keras.Input(shape=(4,)), keras.layers.BatchNormalization())
# --8<-- [end:fix]

# --8<-- [start:call]
model(x[:1])
backup = keras.callbacks.BackupAndRestore("backup")
print("epochs:", model.fit(x, x, callbacks=[backup], verbose=0).epoch)
# --8<-- [end:call]

# --8<-- [start:sure]
for layers in [[], [keras.Input(shape=(4,))]]:
    model = keras.Sequential([*layers, keras.layers.BatchNormalization()])
    print("built:", model.built, "arrays:", len(model.weights))
# --8<-- [end:sure]
