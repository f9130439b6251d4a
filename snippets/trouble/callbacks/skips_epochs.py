# --8<-- [start:setup]
import keras
import numpy as np

x = np.random.default_rng(0).normal(5, 3, size=(64, 4))
y = x[:, :1]


def build():
    model = keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(1),
        ]
    )
    model.compile(optimizer="sgd", loss="mse", run_eagerly=True)
    return model


def backed_up(model):
    backup = keras.callbacks.BackupAndRestore("kept", delete_checkpoint=False)
    return model.fit(x, y, epochs=4, callbacks=[backup], verbose=0).epoch


print("epochs:", backed_up(build()))
# --8<-- [end:setup]

# --8<-- [start:see]
model = build()
print("restored, epochs:", backed_up(model))
history = model.fit(x, y, epochs=4, verbose=0)
print("without the callback, epochs:", history.epoch)
history = model.fit(x, y, initial_epoch=0, epochs=5, verbose=0)
print("initial_epoch=0, epochs:", history.epoch)
# --8<-- [end:see]

# --8<-- [start:fix]
model = build()
backed_up(model)
model.save("restored.keras")
loaded = keras.saving.load_model("restored.keras")
history = loaded.fit(x, y, epochs=4, verbose=0)
print("loaded, epochs:", history.epoch)
# --8<-- [end:fix]

# --8<-- [start:sure]
for name, net in {"in memory": model, "loaded": loaded}.items():
    epochs = net.fit(x, y, epochs=4, verbose=0).epoch
    print(f"{name}: all epochs trained: {epochs == list(range(4))}")
# --8<-- [end:sure]
