# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

x = np.random.default_rng(0).normal(5, 3, size=(80, 8)).astype("float32")
y = x[:, :1] - x[:, 1:2]


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        norm, dense = keras.layers.BatchNormalization(), keras.layers.Dense(1)
        self.steps = [norm, dense]  # a checkpoint of the model skips a list

    def call(self, inputs, training=None):
        norm, dense = self.steps
        return dense(norm(inputs, training=training))


def ready():
    model = Net()
    model(x[:2])
    optimizer = keras.optimizers.SGD(0.01, momentum=0.9)
    model.compile(optimizer=optimizer, loss="mse", run_eagerly=True)
    model.optimizer.build(model.trainable_variables)
    return model


def state(model):
    return [v.numpy() for v in [*model.variables, *model.optimizer.variables]]


def same(one, other):
    return all(map(np.array_equal, state(one), state(other)))


# --8<-- [end:setup]


# --8<-- [start:start]
def start_run():
    keras.utils.set_random_seed(0)
    model = ready()
    data = tf.data.Dataset.from_tensor_slices((x, y))
    rows = iter(data.shuffle(80, seed=0).repeat().batch(32))
    checkpoint = tf.train.Checkpoint(
        model=model, arrays=model.variables, rows=rows
    )
    return model, rows, checkpoint


def steps(model, rows, count):
    for _ in range(count):
        model.train_on_batch(*next(rows))


# --8<-- [end:start]

# --8<-- [start:save]
model, rows, checkpoint = start_run()
steps(model, rows, 4)  # in the middle of the second pass
path = checkpoint.save("position/net")
steps(model, rows, 2)  # what an uninterrupted run does
# --8<-- [end:save]

# --8<-- [start:resume]
resumed, rows, checkpoint = start_run()
checkpoint.restore(path).assert_consumed()
steps(resumed, rows, 2)
print("with all three parts: ", same(resumed, model))
# --8<-- [end:resume]


# --8<-- [start:control]
def resumed_without(name):
    resumed, rows, _ = start_run()
    parts = {"model": resumed, "arrays": resumed.variables, "rows": rows}
    del parts[name]
    tf.train.Checkpoint(**parts).restore(path).expect_partial()
    steps(resumed, rows, 2)
    return resumed


print("without the position: ", same(resumed_without("rows"), model))
print("without the arrays:   ", same(resumed_without("arrays"), model))
# --8<-- [end:control]
