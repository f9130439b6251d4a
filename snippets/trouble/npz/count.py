# --8<-- [start:setup]
import keras
import numpy as np

x = np.random.normal(5, 3, size=(256, 4)).astype("float32")
model = keras.Sequential(
    [
        keras.Input(shape=(4,)),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.Dense(3),
    ]
)
for _ in range(100):
    model(x, training=True)
bn = model.get_layer("bn")
mean, variance = bn.get_weights()[2:]
# --8<-- [end:setup]

# --8<-- [start:see]
weights = model.get_weights()
for owner, arrays in [
    (model, weights),
    (model, weights[:-1]),
    (bn, [mean, variance]),
]:
    try:
        owner.set_weights(arrays)
        print(f"{len(arrays)} arrays: set")
    except ValueError as error:
        print("ValueError: ...", str(error).partition(" with a ")[2])
# --8<-- [end:see]

# --8<-- [start:fix]
plain = keras.layers.BatchNormalization(center=False, scale=False)
plain.build((None, 4))
plain.set_weights([mean, variance])

full = keras.layers.BatchNormalization()
full.build((None, 4))
full.set_weights([np.ones(4), np.zeros(4), mean, variance])
# --8<-- [end:fix]

# --8<-- [start:sure]
print("arrays:", [variable.name for variable in plain.weights])
by_hand = (x - mean) / np.sqrt(variance + full.epsilon)
for layer in [plain, full]:
    np.testing.assert_allclose(layer(x, training=False), by_hand, atol=1e-5)
print("both equal the formula within 1e-5")
# --8<-- [end:sure]
