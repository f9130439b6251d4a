# --8<-- [start:setup]
import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.normal(5, 3, size=(64, 4)).astype("float32")
y = rng.normal(0, 3, size=(64, 4)).astype("float32")


def trained(loss):
    model = keras.Sequential(
        [keras.Input(shape=(4,)), keras.layers.BatchNormalization()]
    )
    model.compile("adam", loss)
    model.fit(x, y, verbose=0)
    return model


def same_loss(one, other):
    losses = [model.evaluate(x, y, verbose=0) for model in (one, other)]
    return np.isclose(*losses)


# --8<-- [end:setup]

# --8<-- [start:see]
for name, loss in {
    "Huber()": keras.losses.Huber(),
    "Huber(delta=3.0)": keras.losses.Huber(delta=3.0),
    "CosineSimilarity(axis=0)": keras.losses.CosineSimilarity(axis=0),
}.items():
    model = trained(loss)
    model.save("model.keras")
    loaded = keras.saving.load_model("model.keras")
    print(f"{name:25} the same loss: {same_loss(model, loaded)}")
# --8<-- [end:see]

# --8<-- [start:why]
print("delta" in keras.losses.Huber(delta=3.0).get_config())
# --8<-- [end:why]

# --8<-- [start:fix]
model = trained(keras.losses.Huber(delta=3.0))
model.save("model.keras")

loaded = keras.saving.load_model("model.keras")
loaded.compile(loaded.optimizer, keras.losses.Huber(delta=3.0))
# --8<-- [end:fix]

# --8<-- [start:sure]
print("the same loss:", same_loss(model, loaded))
steps = [int(net.optimizer.iterations.numpy()) for net in (model, loaded)]
print("steps of the optimizer:", *steps)
for net in [model, loaded]:
    net.fit(x, y, shuffle=False, verbose=0)
pairs = zip(model.get_weights(), loaded.get_weights(), strict=True)
print("trained on, equal:", all(np.allclose(*pair) for pair in pairs))
# --8<-- [end:sure]
