# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 4)).astype("float32")
y = x[:, :1]
bad = x.copy()
bad[40, 0] = np.inf

sound = keras.Sequential(
    [
        keras.Input(shape=(4,)),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.Dense(1),
    ]
)
sound.compile("sgd", "mse", run_eagerly=True)
sound.fit(x, y, verbose=0)
sound.save("sound.keras")

skipped = keras.saving.load_model("sound.keras")
skipped(bad, training=True)  # as by a step that is skipped
skipped.save("skipped.keras")
# --8<-- [end:setup]

# --8<-- [start:see]
from bn_tools import broken


def run(case, start, data, guard):
    sound.save("net.keras")
    net = keras.saving.load_model(start)
    callbacks = [guard, keras.callbacks.ModelCheckpoint("net.keras")]
    try:
        net.fit(data, y, epochs=2, callbacks=callbacks, verbose=0)
    except RuntimeError as error:
        print("RuntimeError:", str(error).partition(" at ")[0])
    found = broken(keras.saving.load_model("net.keras"))
    epochs = len(net.history.epoch)
    print(f"{case:16} epochs: {epochs}  file broken: {bool(found)}")


stop = keras.callbacks.TerminateOnNaN
run("all is sound", "sound.keras", x, stop())
run("statistics NaN", "skipped.keras", x, stop())
run("a bad row", "sound.keras", bad, stop())
run("raise_error=True", "sound.keras", bad, stop(raise_error=True))
# --8<-- [end:see]


# --8<-- [start:fix]
class Guard(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if broken(self.model):
            raise RuntimeError(broken(self.model)[0].partition(":")[0])


run("statistics NaN", "skipped.keras", x, Guard())
# --8<-- [end:fix]

# --8<-- [start:sure]
run("a bad row", "sound.keras", bad, Guard())
run("all is sound", "sound.keras", x, Guard())
# --8<-- [end:sure]
