# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(256, 4)).astype("float32")
y = x[:, :1]


def make(layer, **call):
    inputs = keras.Input(shape=(4,))
    head = keras.layers.Dense(1, name="head")
    return keras.Model(inputs, head(layer(name="bn")(inputs, **call)))


def row(case, model):
    """Fit, and print which arrays of the layer changed."""
    model.compile(keras.optimizers.SGD(0.001), "mse")
    bn = model.get_layer("bn")
    before = bn.get_weights()
    model.fit(x, y, epochs=2, verbose=0)
    changed = {
        array.name: not np.array_equal(array, old)
        for array, old in zip(bn.weights, before, strict=True)
    }
    said = ["yes" if changed[key] else "no" for key in ["moving_mean", "gamma"]]
    print(f"{case:30} {said[0]:12} {said[1]}")


# --8<-- [end:setup]


# --8<-- [start:see]
class Fixed(keras.layers.BatchNormalization):
    def call(self, inputs, training=None):
        return super().call(inputs, training=False)


class BatchNorm(keras.layers.BatchNormalization):
    def call(self, inputs, training=None):
        return super().call(inputs, training=training)


print("fit changes                    statistics   gamma, beta")
row("Fixed()(x)", make(Fixed))
row("BatchNorm()(x, training=None)", make(BatchNorm, training=None))
row("BatchNorm()(x, training=False)", make(BatchNorm, training=False))
# --8<-- [end:see]

# --8<-- [start:load]
trained = make(Fixed)
trained.get_layer("bn").moving_mean.assign([5.0] * 4)
trained.save_weights("fixed.weights.h5")
for layer in [Fixed, keras.layers.BatchNormalization]:
    try:
        make(layer).load_weights("fixed.weights.h5")
        print(f"{layer.__name__}: loaded")
    except ValueError as error:
        message = str(error).split("\n\n")[1].partition(" Expected")[0]
        print(f"{layer.__name__}: ValueError: ... {message}")
# --8<-- [end:load]

# --8<-- [start:fix]
model = make(keras.layers.BatchNormalization)
model.set_weights(trained.get_weights())  # of the class, if you have a file
print("moving mean:", model.get_layer("bn").moving_mean.numpy())

print("fit changes                    statistics   gamma, beta")
row("trained", model)
model.save("trained.keras")

model = keras.saving.load_model("trained.keras")
model.get_layer("bn").trainable = False
row("trainable = False", model)
# --8<-- [end:fix]

# --8<-- [start:sure]
again = keras.saving.load_model("trained.keras")
for name in ["bn", "head"]:
    arrays = [net.get_layer(name).get_weights() for net in [again, model]]
    print(f"{name:4} as it was trained: {all(map(np.array_equal, *arrays))}")
row("without trainable = False", again)
# --8<-- [end:sure]
