# --8<-- [start:small]
import keras
import numpy as np
import tensorflow as tf
from bn_tools import estimate_again

keras.utils.set_random_seed(0)


def small():
    layers = keras.layers
    inputs = keras.Input(shape=(4,))
    frozen = layers.BatchNormalization(name="frozen", trainable=False)
    outputs = layers.Dense(8)(frozen(inputs))
    outputs = layers.BatchNormalization(momentum=0.9, name="bn")(outputs)
    outputs = layers.Dense(1)(layers.ReLU()(outputs))
    net = keras.Model(inputs, outputs)
    net.compile(
        optimizer=keras.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.9),
        loss="mean_squared_error",
        run_eagerly=True,  # quicker for a dozen steps
    )
    return net


inputs = np.random.normal(5, 3, size=(64, 4)).astype("float32")
targets = inputs[:, :1] - inputs[:, 1:2]
beginning = small().get_weights()


def fit(net, *callbacks, epochs=3, **options):
    net.fit(
        inputs,
        targets,
        epochs=epochs,
        shuffle=False,
        callbacks=callbacks,
        verbose=0,
        **options,
    )
    return net


def run_small(*callbacks, **options):
    net = small()
    net.set_weights(beginning)
    return fit(net, *callbacks, **options)


# --8<-- [end:small]

# --8<-- [start:record]
known = {}


def contents(net):
    """Return trainable arrays, their averages, and moving statistics."""
    slots = net.optimizer.variables
    averages = [v.numpy() for v in slots if v.path.endswith("_average")]
    trained = [v.numpy() for v in net.trainable_variables]
    return trained, averages, net.get_layer("bn").get_weights()[2:]


class Record(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        trained, averages, statistics = contents(self.model)
        known[f"trained {epoch + 1}"] = trained
        known[f"averages {epoch + 1}"] = averages
        known[f"of trained {epoch + 1}"] = statistics
        if epoch == 1:
            self.model.save("two.keras")
            self.model.save("two.h5")
            self.model.save_weights("two.weights.h5")
            tf.train.Checkpoint(self.model).write("two")


def which(arrays):
    for name, others in known.items():
        # SwapEMAWeights swaps by adding and subtracting, which rounds.
        if len(arrays) == len(others) and all(
            np.allclose(a, b, atol=1e-4) for a, b in zip(arrays, others)
        ):
            return name
    return "none of these"


def show(case, net):
    print(f"{case:22}", *(f"{which(found):14}" for found in contents(net)))


fitted = run_small(Record())
from_weights, restored = small(), small()
for net in [from_weights, restored]:
    net.optimizer.build(net.trainable_variables)
from_weights.load_weights("two.weights.h5")
tf.train.Checkpoint(restored).read("two").assert_existing_objects_matched()
# --8<-- [end:record]

# --8<-- [start:formats]
load = keras.saving.load_model
print(f"{'':22} weights        in optimizer   statistics")
show("after fit", fitted)
show("two.keras", load("two.keras"))
show("two.weights.h5", from_weights)
show("checkpoint", restored)
show("two.h5", load("two.h5"))
# --8<-- [end:formats]

# --8<-- [start:from_file]
written = load("two.keras")
written.optimizer.finalize_variable_values(written.trainable_variables)
show("averages written", written)
estimate_again(written, [inputs])
known["of averages 2"] = contents(written)[2]
show("  and estimated", written)
# --8<-- [end:from_file]

# --8<-- [start:callbacks]
swap, save = keras.callbacks.SwapEMAWeights, keras.callbacks.ModelCheckpoint
file = "epoch-{epoch}.keras"
for case, callbacks in {
    "swap, save": [swap(), save(file)],
    "save, swap on epoch": [save(file), swap(swap_on_epoch=True)],
    "swap on epoch, save": [swap(swap_on_epoch=True), save(file)],
}.items():
    run_small(*callbacks)
    show(case, load("epoch-2.keras"))
# --8<-- [end:callbacks]
