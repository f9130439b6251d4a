# --8<-- [start:setup]
import keras
import numpy as np

x = np.random.default_rng(0).normal(5, 3, size=(64, 4))
norm = keras.layers.BatchNormalization()
model = keras.Sequential([keras.Input(shape=(4,)), norm])
model.compile(optimizer="sgd", loss="mse", run_eagerly=True)
schedule = keras.callbacks.LearningRateScheduler(
    lambda epoch: 0.08 * 0.5**epoch
)


def rates(**epochs):
    history = model.fit(x, x, callbacks=[schedule], verbose=0, **epochs).history
    return [round(rate, 4) for rate in history["learning_rate"]]


# --8<-- [end:setup]

# --8<-- [start:see]
print("uninterrupted:   ", rates(epochs=4))
model.save("model.keras")
model = keras.saving.load_model("model.keras")
print("no initial_epoch:", rates(epochs=2))
# --8<-- [end:see]

# --8<-- [start:fix]
print("initial_epoch=2: ", rates(initial_epoch=2, epochs=4))
# --8<-- [end:fix]

# --8<-- [start:sure]
decay = keras.optimizers.schedules.ExponentialDecay(
    0.08, 2, 0.5, staircase=True
)
model.compile(keras.optimizers.SGD(decay), loss="mse", run_eagerly=True)
for _ in range(2):
    model.fit(x, x, verbose=0)
    model.save("model.keras")
    model = keras.saving.load_model("model.keras")
    step = int(model.optimizer.iterations.numpy())
    print(f"step {step}: {float(model.optimizer.learning_rate.numpy()):.4f}")
# --8<-- [end:sure]
