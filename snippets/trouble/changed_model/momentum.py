# --8<-- [start:setup]
import keras
import numpy as np

x = np.random.default_rng(0).normal(5, 3, (64, 4)).astype("float32")
y = np.zeros((64, 1), "float32")


def norm_and_model():
    bn = keras.layers.BatchNormalization()
    model = keras.Sequential([keras.Input((4,)), bn, keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return bn, model


def step(name):
    """Train a step; print how far the mean came towards that of the batch."""
    before = bn.moving_mean.numpy()
    model.fit(x, y, batch_size=64, verbose=0)
    way = (bn.moving_mean.numpy() - before) / (x.mean(axis=0) - before)
    print(f"{name:26} {way.mean():.0%} of the way, step", end=" ")
    print(model.optimizer.iterations.numpy())


# --8<-- [end:setup]

# --8<-- [start:see]
bn, model = norm_and_model()
step("momentum 0.99")
bn.momentum = 0.5
step("set to 0.5 after that")

bn, model = norm_and_model()
bn.momentum = 0.5
step("set before the first fit")
# --8<-- [end:see]

# --8<-- [start:predict]
before = model.predict(x, verbose=0)
bn.epsilon = 100.0
print(
    "predict is as before:", np.array_equal(before, model.predict(x, verbose=0))
)
called = model(x, training=False)
print("a call is as before: ", np.allclose(before, called, atol=1e-3))
# --8<-- [end:predict]

# --8<-- [start:fix]
from bn_tools import batch_norms


def set_momentum(model, momentum):
    """Set the momentum of all BatchNormalization layers; keep the optimizer."""
    for layer in batch_norms(model):
        layer.momentum = momentum
    if getattr(model, "train_function", None) is not None:
        model.make_train_function(force=True)


# --8<-- [end:fix]

# --8<-- [start:fixed]
bn, model = norm_and_model()
step("momentum 0.99")
set_momentum(model, 0.5)
step("set by set_momentum")
# --8<-- [end:fixed]

# --8<-- [start:sure]
model.save("model.keras")
model.save_weights("trained.weights.h5")
loaded = keras.saving.load_model("model.keras")
print("in .keras:     ", loaded.layers[0].momentum)
bn, model = norm_and_model()
model.load_weights("trained.weights.h5")
print("in .weights.h5:", bn.momentum)
# --8<-- [end:sure]
