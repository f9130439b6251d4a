# --8<-- [start:models]
import keras
import numpy as np
import tensorflow as tf


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(4)
        self.bn = keras.layers.BatchNormalization()
        self.head = keras.layers.Dense(4)

    def call(self, x, training=False):
        return self.head(self.bn(self.dense(x), training=training))


def functional():
    layers = keras.layers
    inputs = keras.Input((4,))
    outputs = layers.BatchNormalization()(layers.Dense(4)(inputs))
    return keras.Model(inputs, layers.Dense(4)(outputs))


MODELS = {"subclassed": Net, "functional": functional}
# --8<-- [end:models]

# --8<-- [start:write]
keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 4)).astype("float32")
for name, build in MODELS.items():
    model = build()
    model.compile("sgd", "mse")
    model.fit(x, x, epochs=20, verbose=0)
    tf.train.Checkpoint(model=model).write(f"keras2/{name}")
    np.savez(f"{name}.npz", *model.get_weights(), x=x, y=model(x))
# --8<-- [end:write]


# --8<-- [start:see]
def built(name):
    model = MODELS[name]()
    model(np.zeros((1, 4), "float32"))
    return model


def what_is_lost(model, name):
    expected = np.load(f"{name}.npz")
    lost = []
    for number, weight in enumerate(model.weights):
        if not np.array_equal(weight, expected[f"arr_{number}"]):
            lost.append(weight.name)
    y = model(expected["x"], training=False)
    same = np.allclose(y, expected["y"], atol=1e-5)
    return f"lost {lost if len(lost) < 8 else 'all 8'}, predictions {same}"


for name in MODELS:
    model = built(name)
    status = tf.train.Checkpoint(model=model).read(f"keras2/{name}")
    print(f"{name}:", what_is_lost(model, name))
    status.expect_partial()
# --8<-- [end:see]

# --8<-- [start:control]
for name in MODELS:
    expected = np.load(f"{name}.npz")
    model = built(name)
    model.set_weights([expected[f"arr_{i}"] for i in range(8)])
    tf.train.Checkpoint(model=model).write(f"keras3/{name}")
    model = built(name)
    tf.train.Checkpoint(model=model).read(f"keras3/{name}").assert_consumed()
    print(f"{name}:", what_is_lost(model, name))
# --8<-- [end:control]

# --8<-- [start:unbound]
model = built("subclassed")
status = tf.train.Checkpoint(model=model).read("keras2/subclassed")
try:
    status.expect_partial().assert_existing_objects_matched()
except AssertionError as error:
    print("AssertionError:", str(error).partition(",")[0])
# --8<-- [end:unbound]


# --8<-- [start:why]
def keys(path):
    names = [name for name, _ in tf.train.list_variables(path)]
    names = [n.partition("/.ATTR")[0] for n in names if "kernel" in n]
    return [name for name in names if "optimizer" not in name]


for name in MODELS:
    for version in ["keras2", "keras3"]:
        print(version, *keys(f"{version}/{name}"), sep="\n  ")
# --8<-- [end:why]

# --8<-- [start:fix]
reader = tf.train.load_checkpoint("keras2/subclassed")
for name in ["dense", "bn", "head"]:
    for weight in getattr(model, name).weights:
        key = f"model/{name}/{weight.name}/.ATTRIBUTES/VARIABLE_VALUE"
        weight.assign(reader.get_tensor(key))
# --8<-- [end:fix]

# --8<-- [start:sure]
print(what_is_lost(model, "subclassed"))
# --8<-- [end:sure]
