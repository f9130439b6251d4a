# --8<-- [start:model]
import keras
import numpy as np
import tensorflow as tf


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(4)
        self.bn = keras.layers.BatchNormalization()

    def call(self, x, training=False):
        return self.bn(self.dense(x), training=training)


def compiled(name):
    optimizers = {
        "Adam": keras.optimizers.Adam(0.01),
        "SGD": keras.optimizers.SGD(0.01, momentum=0.9),
    }
    net = Net()
    net(np.zeros((1, 4), "float32"))
    net.compile(optimizers[name], "mse")
    return net


# --8<-- [end:model]

# --8<-- [start:write]
keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 4)).astype("float32")
for name in ["Adam", "SGD"]:
    net = compiled(name)
    net.fit(x, x, epochs=20, verbose=0)
    tf.train.Checkpoint(model=net).write(name)
    arrays = net.get_weights()
    net.fit(x, x, batch_size=64, verbose=0)  # one step more
    loss = net.evaluate(x, x, verbose=0)
    np.savez(f"{name}.npz", *arrays, x=x, loss=loss)
# --8<-- [end:write]


# --8<-- [start:see]
def loss_after_a_step(net, name):
    saved = np.load(f"{name}.npz")
    net.set_weights([saved[f"arr_{i}"] for i in range(6)])
    net.fit(saved["x"], saved["x"], batch_size=64, verbose=0)
    loss = net.evaluate(saved["x"], saved["x"], verbose=0)
    return f"loss {loss:.1f}, in Keras 2 {saved['loss']:.1f}"


for name in ["Adam", "SGD"]:
    net = compiled(name)
    tf.train.Checkpoint(model=net).read(name).expect_partial()
    print(f"{name}, restored:     ", loss_after_a_step(net, name))
    net = compiled(name)
    print(f"{name}, new optimizer:", loss_after_a_step(net, name))
# --8<-- [end:see]

# --8<-- [start:raises]
net = compiled("Adam")
net.optimizer.build(net.trainable_variables)
try:
    tf.train.Checkpoint(model=net).read("Adam")
except ValueError as error:
    print("ValueError:", str(error)[:65])
# --8<-- [end:raises]

# --8<-- [start:why]
for name in ["Adam", "SGD"]:
    keys = [key for key, _ in tf.train.list_variables(name)]
    saved = sum("optimizer/_variables/" in key for key in keys)
    net = compiled(name)
    net.optimizer.build(net.trainable_variables)
    now = [v.name.split("_")[-1] for v in net.optimizer.variables[2:5]]
    print(f"{name}: _variables/1 to /{saved} in the file")
    print(f"    _variables/2 to /{saved + 1} in Keras 3: {', '.join(now)}, ...")
# --8<-- [end:why]


# --8<-- [start:fix]
def with_slots(net, name):
    """Fill the optimizer of a compiled net that has its own arrays already."""
    reader = tf.train.load_checkpoint(name)
    shapes = reader.get_variable_to_shape_map()
    place = "model/optimizer/{}/.ATTRIBUTES/VARIABLE_VALUE".format
    count = sum(key.startswith("model/optimizer/_variables/") for key in shapes)
    numbers = [f"_variables/{number}" for number in range(1, count + 1)]
    keys = [place(each) for each in ["_iterations", *numbers]]
    net.optimizer.build(net.trainable_variables)
    # A learning rate has a place in this list, a schedule has none.
    own = [v for v in net.optimizer.variables if v.name != "learning_rate"]
    if [shapes.get(key) for key in keys] != [list(v.shape) for v in own]:
        raise ValueError(f"{name}: the arrays of another optimizer or model")
    for variable, key in zip(own, keys):
        variable.assign(reader.get_tensor(key))
    return net


# --8<-- [end:fix]

# --8<-- [start:sure]
for name in ["Adam", "SGD"]:
    net = with_slots(compiled(name), name)
    print(f"{name}, moved by hand:", loss_after_a_step(net, name))
# --8<-- [end:sure]
