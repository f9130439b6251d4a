# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(256, 8)).astype("float32")
model = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.Dense(4),
        keras.layers.BatchNormalization(),
    ]
)
model.compile(optimizer="adam", loss="mse")
model.fit(x, x[:, :4], verbose=0)
model.save("model.keras")
model.export("exported", verbose=False)
# --8<-- [end:setup]


# --8<-- [start:see]
def fine_tune(optimizer):
    layer = keras.layers.TFSMLayer("exported", call_endpoint="serve")
    net = keras.Sequential([keras.Input(shape=(8,)), layer])
    net.compile(optimizer=optimizer, loss="mse")
    before = layer.get_weights()
    net.fit(x, 2 * x[:, :4], verbose=0)
    return not all(map(np.array_equal, before, layer.get_weights()))


for optimizer in [
    keras.optimizers.Adam(0.001),
    keras.optimizers.SGD(0.001, momentum=0.9),
]:
    try:
        fine_tune(optimizer)
    except ValueError as error:
        name, text = type(optimizer).__name__, str(error)
        print(f"{name}: ValueError:", text.partition(". ")[0])
# --8<-- [end:see]

# --8<-- [start:fix]
print("SGD trains:", fine_tune(keras.optimizers.SGD(0.001)))
# --8<-- [end:fix]

# --8<-- [start:sure]
whole = keras.saving.load_model("model.keras")
print("steps taken:", int(whole.optimizer.iterations.numpy()))
whole.fit(x, 2 * x[:, :4], verbose=0)
print("steps taken:", int(whole.optimizer.iterations.numpy()))
# --8<-- [end:sure]
