# --8<-- [start:models]
import numpy as np
import tensorflow as tf

keras = tf.keras
KINDS = ["plain", "training_true", "training_false", "time_distributed"]
x = np.random.default_rng(0).normal(5, 3, (32, 6, 4)).astype("float32")


def build(kind):
    inputs = keras.Input((6, 4))
    bn = keras.layers.BatchNormalization(momentum=0.5, name="bn")
    if kind == "plain":
        hidden = bn(inputs)
    elif kind == "time_distributed":
        hidden = keras.layers.TimeDistributed(bn)(inputs)
    else:
        base = keras.Sequential([keras.Input((6, 4)), bn], name="base")
        hidden = base(inputs, training=kind == "training_true")
    outputs = keras.layers.Dense(1, name="head")(hidden)
    model = keras.Model(inputs, outputs)
    model.compile(optimizer=keras.optimizers.SGD(0.0), loss="mse")
    return model, bn


def arrays_of(bn):
    names = ["gamma", "beta", "moving_mean", "moving_variance"]
    return [getattr(bn, name).numpy() for name in names]


def trained(model):
    model.fit(x, x[:, :, :1], batch_size=32, verbose=0)


# --8<-- [end:models]


# --8<-- [start:write]
for kind in KINDS:
    model, bn = build(kind)
    for array in model.weights:
        array.assign(np.random.uniform(0.5, 1.5, size=array.shape))
    model.save_weights(f"{kind}.h5")
    found = {"arrays": arrays_of(bn), "predict": model.predict(x, verbose=0)}
    model.load_weights(f"{kind}.h5")
    trained(model)
    np.savez(f"{kind}.npz", **found, after=arrays_of(bn))
# --8<-- [end:write]


# --8<-- [start:see]
def load(kind):
    model, bn = build(kind)
    model.load_weights(f"{kind}.h5")
    return model, bn


def close(found, kind, name):
    return np.allclose(found, np.load(f"{kind}.npz")[name], atol=1e-4)


print("as in Keras 2:    arrays predict after fit")
for kind in KINDS:
    model, bn = load(kind)
    cells = [close(arrays_of(bn), kind, "arrays")]
    cells += [close(model.predict(x, verbose=0), kind, "predict")]
    model, bn = load(kind)
    trained(model)
    cells += [close(arrays_of(bn), kind, "after")]
    print(f"{kind:17} {str(cells[0]):6} {str(cells[1]):7} {cells[2]}")
# --8<-- [end:see]

# --8<-- [start:fix]
model, bn = load("training_true")
print("called:", close(model(x), "training_true", "predict"))

model, bn = load("training_false")
bn.trainable = False
model.compile(optimizer=keras.optimizers.SGD(0.0), loss="mse")
trained(model)
print("frozen:", close(arrays_of(bn), "training_false", "after"))

model, bn = build("plain")
model.set_weights(load("time_distributed")[0].get_weights())
trained(model)
print("bare:  ", close(arrays_of(bn), "time_distributed", "after"))
# --8<-- [end:fix]

# --8<-- [start:sure]
for kind in KINDS:
    model, bn = load(kind)
    called = close(model(x), kind, "predict")
    print(f"{kind:17} called as in Keras 2: {called}")
# --8<-- [end:sure]
