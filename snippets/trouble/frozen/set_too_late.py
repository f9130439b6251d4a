# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

x = np.random.default_rng(0).normal(5, 3, (100, 4)).astype("float32")
y = np.zeros((100, 1))


def norm_and_model():
    inputs = keras.Input(shape=(4,))
    bn = keras.layers.BatchNormalization()
    model = keras.Model(inputs, keras.layers.Dense(1)(bn(inputs)))
    model.compile(optimizer="sgd", loss="mse")
    return bn, model


def fit(rows):
    model.fit(x[:rows], y[:rows], batch_size=rows, verbose=0)


def report(what, run):
    before = bn.moving_mean.numpy()
    run()
    kept = np.array_equal(before, bn.moving_mean)
    print(f"{what:33} {'kept' if kept else 'moved'}")


# --8<-- [end:setup]

# --8<-- [start:see]
bn, model = norm_and_model()
bn.trainable = False
report("frozen before the first fit", lambda: fit(100))

bn, model = norm_and_model()
fit(100)
bn.trainable = False
report("frozen after it", lambda: fit(100))
report("    with batches of another size", lambda: fit(90))

bn, model = norm_and_model()
step = tf.function(model)
step(x, training=True)
bn.trainable = False
report("frozen after a tf.function ran", lambda: step(x, training=True))
report("    called directly", lambda: model(x, training=True))
# --8<-- [end:see]

# --8<-- [start:fix]
report("a new tf.function", lambda: tf.function(model)(x, training=True))

bn, model = norm_and_model()
fit(100)
bn.trainable = False
model.compile(optimizer="sgd", loss="mse")
# --8<-- [end:fix]

# --8<-- [start:sure]
report("compiled after the flags", lambda: fit(100))
bn.trainable = True
report("    unfrozen, not compiled", lambda: fit(100))
model.compile(optimizer="sgd", loss="mse")
report("    unfrozen, compiled", lambda: fit(100))
# --8<-- [end:sure]
