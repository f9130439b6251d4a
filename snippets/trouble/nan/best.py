# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(32, 4)).astype("float32")
y = x[:, :1]
bad = x.copy()
bad[3, 0] = np.inf

model = keras.Sequential(
    [
        keras.Input(shape=(4,)),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(1),
    ]
)
model.compile("sgd", "mse", run_eagerly=True)
model.save("start.keras")
# --8<-- [end:setup]

# --8<-- [start:see]
from bn_tools import broken, repair


def run(monitor, breaks_in):
    net = keras.saving.load_model("start.keras")
    best = keras.callbacks.ModelCheckpoint(
        "best.keras", monitor=monitor, save_best_only=True
    )
    for epoch in [1, 2, 3]:
        if epoch == breaks_in:
            net(bad, training=True)  # as by a step that is skipped
        net.fit(x, y, validation_data=(x, y), callbacks=[best], verbose=0)
        repair(net, [x])  # for the next epoch
    found = broken(keras.saving.load_model("best.keras"))
    print(f"{monitor:8} broken in epoch {breaks_in}", end="  ")
    print("best.keras broken:", bool(found))


run("loss", breaks_in=3)
run("val_loss", breaks_in=1)
# --8<-- [end:see]

# --8<-- [start:fix]
run("val_loss", breaks_in=3)
run("val_loss", breaks_in=2)
# --8<-- [end:fix]

# --8<-- [start:sure]
best = keras.saving.load_model("best.keras")
print("broken:", broken(best))
print("loss is finite:", np.isfinite(best.evaluate(x, y, verbose=0)))
# --8<-- [end:sure]
