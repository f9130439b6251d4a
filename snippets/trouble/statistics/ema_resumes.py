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


def fit(model, epochs, *callbacks, start=0):
    model.fit(
        x,
        y,
        initial_epoch=start,
        epochs=epochs,
        shuffle=False,
        callbacks=callbacks,
        verbose=0,
    )
    return model


# --8<-- [end:setup]

# --8<-- [start:see]
model = build()
model.set_weights(beginning)
never_stopped = fit(model, 3)


def report(case, model):
    pairs = zip(model.weights, never_stopped.weights, strict=True)
    equal = all(np.allclose(a, b, atol=1e-5) for a, b in pairs)
    print(f"{case:16} as if never stopped: {equal}")


model = build()
model.set_weights(beginning)
save = keras.callbacks.ModelCheckpoint("during-{epoch}.keras")
fit(model, 2, save).save("after.keras")
for case, net in {
    "in memory": model,
    "saved after fit": keras.saving.load_model("after.keras"),
}.items():
    report(case, fit(net, 3, start=2))
# --8<-- [end:see]

# --8<-- [start:fix]
during = keras.saving.load_model("during-2.keras")
report("saved during fit", fit(during, 3, start=2))
# --8<-- [end:fix]

# --8<-- [start:sure]
for file in ["after.keras", "during-2.keras"]:
    loaded = keras.saving.load_model(file)
    slots = loaded.optimizer.variables
    averages = [v for v in slots if v.path.endswith("_average")]
    equal = map(np.array_equal, loaded.trainable_variables, averages)
    print(file, "holds the averages as weights:", all(equal))
# --8<-- [end:sure]
