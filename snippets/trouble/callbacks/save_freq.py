# --8<-- [start:setup]
import keras
import numpy as np

x = np.random.default_rng(0).normal(5, 3, size=(96, 4))
y = x[:, :1]


class Stop(keras.callbacks.Callback):
    def __init__(self, step):
        super().__init__()
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        if self.model.optimizer.iterations == self.step:
            raise RuntimeError


def run(folder, freq, step=-1):
    keras.utils.set_random_seed(0)
    norm = keras.layers.BatchNormalization()
    layers = [keras.Input(shape=(4,)), norm, keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    sgd = keras.optimizers.SGD(0.01, momentum=0.9)
    model.compile(optimizer=sgd, loss="mse", run_eagerly=True)
    backup = keras.callbacks.BackupAndRestore(folder, save_freq=freq)
    callbacks = [backup, Stop(step)]
    settings = {"shuffle": False, "callbacks": callbacks, "verbose": 0}
    try:
        model.fit(x, y, batch_size=32, epochs=2, **settings)
    except RuntimeError:
        pass
    return model


def report(model):
    same = all(map(np.array_equal, expected, model.get_weights()))
    print(int(model.optimizer.iterations.numpy()), "steps, bit for bit:", same)


expected = run("not-stopped", "epoch").get_weights()
# --8<-- [end:setup]

# --8<-- [start:see]
run("once", 2, step=5)
report(run("once", 2))
# --8<-- [end:see]

# --8<-- [start:twice]
run("twice", 2, step=5)
run("twice", 2, step=6)
report(run("twice", 2))
# --8<-- [end:twice]

# --8<-- [start:fix]
run("epoch", "epoch", step=5)
report(run("epoch", "epoch"))
# --8<-- [end:fix]

# --8<-- [start:sure]
for freq in [2, "epoch"]:
    run(f"check-{freq}", freq, step=5)
    steps = run(f"check-{freq}", freq).optimizer.iterations.numpy()
    print(f"save_freq={freq}: 2 epochs of 3 steps: {steps == 2 * 3}")
# --8<-- [end:sure]
