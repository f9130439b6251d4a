# --8<-- [start:setup]
import keras
import numpy as np

x = np.random.normal(5, 3, size=(256, 8)).astype("float32")


def compiled(rate):
    model = keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.Dense(4),
            keras.layers.BatchNormalization(),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(rate), loss="mse")
    model.optimizer.build(model.trainable_variables)
    return model


decay = keras.optimizers.schedules.ExponentialDecay
for name, rate in {"number": 0.5, "schedule": decay(0.5, 100, 0.5)}.items():
    model = compiled(rate)
    model.fit(x, x[:, :4], verbose=0)
    model.save_weights(f"{name}.weights.h5")
# --8<-- [end:setup]

# --8<-- [start:see]
import warnings


def report(saved, rate):
    loaded = compiled(rate)
    with warnings.catch_warnings(
        record=True, action="always", category=UserWarning
    ) as caught:
        loaded.load_weights(f"{saved}.weights.h5")
    step, rate = loaded.optimizer.iterations, loaded.optimizer.learning_rate
    print(f"saved with a {saved}: rate {float(rate):.3f}, step {int(step)}")
    for text in {f"{w.category.__name__}: {w.message}" for w in caught}:
        print(text)
    return loaded


for saved in ["number", "schedule"]:
    report(saved, rate=0.01)
report("number", rate=decay(0.01, 100, 0.5))
# --8<-- [end:see]

# --8<-- [start:fix]
stays = decay(0.01, 100, decay_rate=1)
loaded = report("schedule", rate=stays)
# --8<-- [end:fix]

# --8<-- [start:sure]
saved, arrays = model.optimizer.variables, loaded.optimizer.variables
print("arrays equal:", all(map(np.array_equal, saved, arrays)))
loaded.fit(x, x[:, :4], verbose=0)
rate, step = loaded.optimizer.learning_rate, loaded.optimizer.iterations
print(f"after fit: rate {float(rate):.3f}, step {int(step)}")
# --8<-- [end:sure]
