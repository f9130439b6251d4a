# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 8)).astype("float32")


@keras.saving.register_keras_serializable()
class Block(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(4)
        self.bn = keras.layers.BatchNormalization()

    def build(self, input_shape):
        self.dense.build(input_shape)
        self.bn.build((*input_shape[:-1], 4))

    def call(self, x, training=None):
        return self.bn(self.dense(x), training=training)


def build_model(frozen):
    model = keras.Sequential([keras.Input(shape=(8,)), Block()])
    model.layers[0].bn.trainable = not frozen
    model.compile(optimizer="adam", loss="mse")
    return model


# --8<-- [end:setup]

# --8<-- [start:see]
import warnings

for frozen in [False, True]:
    model = build_model(frozen)
    model.fit(x, x[:, :4], verbose=0)
    model.save("model.keras")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loaded = keras.saving.load_model("model.keras")
    steps = [int(net.optimizer.iterations.numpy()) for net in [model, loaded]]
    counts = [len(net.trainable_variables) for net in [model, loaded]]
    print(f"frozen: {frozen}, step: {steps}, trainable arrays: {counts}")
print(*{f"{w.category.__name__}: {w.message}" for w in caught})
# --8<-- [end:see]

# --8<-- [start:fix]
model.save_weights("model.weights.h5")
rebuilt = build_model(frozen=True)  # the flags first
rebuilt.optimizer.build(rebuilt.trainable_variables)
rebuilt.load_weights("model.weights.h5")
# --8<-- [end:fix]

# --8<-- [start:sure]
print("step:", int(rebuilt.optimizer.iterations.numpy()))
for net in [model, rebuilt]:
    net.fit(x, x[:, :4], shuffle=False, verbose=0)
equal = all(map(np.array_equal, model.weights, rebuilt.weights))
print("trained on, all arrays as if nothing was saved:", equal)
# --8<-- [end:sure]
