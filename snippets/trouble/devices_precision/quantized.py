# --8<-- [start:see]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(256, 8)).astype("float32")


def make_model():
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.BatchNormalization(momentum=0.9, name="bn"),
            keras.layers.Dense(16),
            keras.layers.Dense(1),
        ]
    )


model = make_model()
for _ in range(20):
    model(x, training=True)
model.quantize("int8")
model.save_weights("quantized.weights.h5")

net = make_model()
try:
    net.load_weights("quantized.weights.h5")
except ValueError as error:
    print("ValueError:", str(error).split(". ")[0])
# --8<-- [end:see]

# --8<-- [start:fix]
net = make_model()
net.quantize("int8")
net.load_weights("quantized.weights.h5")
# --8<-- [end:fix]

# --8<-- [start:sure]
untrained = make_model()
untrained.quantize("int8")
for name, other in {"quantized": net, "untrained": untrained}.items():
    same = np.array_equal(model(x, training=False), other(x, training=False))
    print(f"{name}: predictions equal: {same}")
equal = map(
    np.array_equal,
    model.get_layer("bn").get_weights(),
    net.get_layer("bn").get_weights(),
)
print("the four arrays equal:", all(equal))
print("in", net.get_layer("bn").moving_mean.dtype)
# --8<-- [end:sure]
