# --8<-- [start:train]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(loc=5.0, scale=3.0, size=(256, 4)).astype("float32")
y = x.sum(axis=1)

model = keras.Sequential(
    [
        keras.Input(shape=(4,)),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.Dense(1),
    ]
)
model.compile(optimizer="sgd", loss="mse")
model.fit(x, y, epochs=5, verbose=0)
# --8<-- [end:train]

# --8<-- [start:prove]
names = ["gamma", "beta", "moving_mean", "moving_variance"]
bn = model.get_layer("bn")
saved = {name: getattr(bn, name).numpy() for name in names}
predictions = model(x, training=False).numpy()

model.save("model.keras")
model.fit(-x, y, verbose=0)  # from here on, the model in memory is another one
reloaded = keras.saving.load_model("model.keras")

for name in names:
    for where, net in {"in memory": model, "loaded": reloaded}.items():
        array = getattr(net.get_layer("bn"), name).numpy()
        equal = np.array_equal(array, saved[name])
        print(f"{name:16}{where:10}", "as saved" if equal else "changed")
np.testing.assert_array_equal(reloaded(x, training=False), predictions)
print("predictions equal")
# --8<-- [end:prove]

# --8<-- [start:learned]
untrained = keras.models.clone_model(model)
for name, net in {"loaded": reloaded, "never trained": untrained}.items():
    layer = net.get_layer("bn")
    still_0 = np.all(layer.moving_mean.numpy() == 0)
    still_1 = np.all(layer.moving_variance.numpy() == 1)
    print(f"{name:14} mean still 0: {still_0}, variance still 1: {still_1}")
# --8<-- [end:learned]
