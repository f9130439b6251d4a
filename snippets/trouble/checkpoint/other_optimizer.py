# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
x = np.random.normal(size=(256, 8)).astype("float32")
optimizers = keras.optimizers


def compiled(optimizer):
    net = keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.Dense(4),
            keras.layers.BatchNormalization(),
        ]
    )
    net.compile(optimizer, "mse", run_eagerly=True)
    net.optimizer.build(net.trainable_variables)
    return net


def both(net):
    return tf.train.Checkpoint(model=net, arrays=net.variables)


def train(net, steps=5):
    return [net.train_on_batch(x, x[:, :4]) for _ in range(steps)]


def grows(net):
    losses = train(net)
    return bool(losses[-1] > 10 * losses[0])


# --8<-- [end:setup]

# --8<-- [start:see]
for saved_with, other in [
    (optimizers.Adam(), optimizers.Adamax()),
    (optimizers.Adagrad(), optimizers.SGD(momentum=0.9)),
    (optimizers.Adagrad(), optimizers.Adagrad()),
]:
    model, loaded = compiled(saved_with), compiled(other)
    train(model)
    path = both(model).save("checkpoints/net")
    both(loaded).restore(path).assert_consumed()
    moments = saved_with.variables[3], other.variables[3]
    np.testing.assert_array_equal(*moments)
    old, new = (moment.name.rpartition("_")[2] for moment in moments)
    names = [type(each).__name__ for each in (saved_with, other)]
    print(f"{names[0]}'s {old} is {names[1]}'s {new},", end=" ")
    print("the loss grows tenfold:", grows(loaded))
# --8<-- [end:see]

# --8<-- [start:fix]
loaded = compiled(optimizers.SGD(momentum=0.9))
status = tf.train.Checkpoint(arrays=loaded.variables).restore(path)
status.expect_partial().assert_existing_objects_matched()
equal = all(map(np.array_equal, model.variables, loaded.variables))
print(f"arrays equal: {equal}, the loss grows tenfold: {grows(loaded)}")
# --8<-- [end:fix]

# --8<-- [start:sure]
kind = tf.Variable(type(model.optimizer).__name__)
parts = {"model": model, "arrays": model.variables}
path = tf.train.Checkpoint(kind=kind, **parts).save("kind/net")

kind = tf.train.load_variable(path, "kind/.ATTRIBUTES/VARIABLE_VALUE").decode()
for net in [loaded, compiled("adagrad")]:
    name = type(net.optimizer).__name__
    print(f"the file is of {kind}, this is {name}: {kind == name}")
# --8<-- [end:sure]
