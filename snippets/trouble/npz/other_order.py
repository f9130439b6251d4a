# --8<-- [start:setup]
import keras
import numpy as np


class Net(keras.Model):
    def __init__(self, *names):
        super().__init__()
        for name in names:
            norm = keras.layers.BatchNormalization(name=name)
            setattr(self, name, norm)

    def call(self, x, training=False):
        left = self.left(x, training=training)
        return left - self.right(x**2, training=training)


def build(*names):
    net = Net(*names)
    net(x[:1])
    return net


x = np.random.normal(5, 3, size=(256, 4)).astype("float32")
model = build("left", "right")
for _ in range(100):
    model(x, training=True)


def same_predictions(net):
    return np.array_equal(model(x, training=False), net(x, training=False))


# --8<-- [end:setup]

# --8<-- [start:see]
np.savez("weights.npz", *model.get_weights())
for names in [("left", "right"), ("right", "left")]:
    net = build(*names)
    print(*names, "predictions equal before:", same_predictions(net))
    with np.load("weights.npz") as saved:
        net.set_weights([saved[f"arr_{i}"] for i in range(len(saved))])
    print(*names, "predictions equal after: ", same_predictions(net))
# --8<-- [end:see]

# --8<-- [start:fix]
from bn_tools import layers_in


def by_name(net):
    """Return each array by the name of its layer and its own; or raise."""
    named = {}
    for layer in net.layers:
        for variable in layer.weights:
            key = f"{layer.name}/{variable.name}"
            if key in named:
                raise ValueError(f"one name for two arrays: {key}")
            named[key] = variable
    if not named or {*map(id, named.values())} != {*map(id, net.weights)}:
        raise ValueError("no arrays yet, or one that belongs to no layer")
    if any(variable.dtype == "bfloat16" for variable in named.values()):
        raise ValueError("NumPy cannot load bfloat16: convert to float32")
    return named


def load_by_name(file, net):
    """Assign each array of a file to the one of that name; all or none."""
    targets = by_name(net)
    with np.load(file) as saved:
        arrays = {key: saved[key] for key in saved.files}
    found = {key: (v.shape, v.dtype) for key, v in targets.items()}
    wanted = {key: (a.shape, a.dtype.name) for key, a in arrays.items()}
    if found != wanted:
        raise ValueError(f"other arrays: {found.items() ^ wanted.items()}")
    for key, variable in targets.items():
        variable.assign(arrays[key])
    for layer in layers_in(net, {}).values():
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()
        if isinstance(layer, keras.Model):  # traced with the old ones
            layer.predict_function = None
            layer.test_function = layer.train_function = None


# --8<-- [end:fix]

# --8<-- [start:sure]
np.savez("named.npz", **{k: v.numpy() for k, v in by_name(model).items()})

net = build("right", "left")
print("predictions equal before:", same_predictions(net))
load_by_name("named.npz", net)
print("predictions equal after: ", same_predictions(net))
print(*by_name(model), sep="\n")
# --8<-- [end:sure]


# --8<-- [start:refused]
def around(layer, *shape):
    return keras.Sequential([keras.Input(shape=shape), layer])


inner = [keras.layers.Dense(8, name="a"), keras.layers.Dense(8, name="b")]
for net in [
    around(keras.Sequential(inner, name="inner"), 8),
    around(keras.layers.Bidirectional(keras.layers.GRU(2), name="gru"), 4, 8),
    around(keras.layers.Dense(8, name="dense"), 8),
]:
    try:
        print("keys:", *by_name(net))
    except ValueError as error:
        print("ValueError:", error)
# --8<-- [end:refused]
