# --8<-- [start:see]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 2)).astype("float32")


def make_model(renorm):
    layer = keras.layers.BatchNormalization(renorm=renorm)
    return keras.Sequential([keras.Input(shape=(2,)), layer])


renorm = make_model(renorm=True)
for _ in range(20):
    renorm(x, training=True)
renorm.save_weights("renorm.weights.h5")

plain = make_model(renorm=False)
try:
    plain.load_weights("renorm.weights.h5")
except ValueError as error:
    print("ValueError: ...", str(error).splitlines()[2].split("' ")[1])
# --8<-- [end:see]

# --8<-- [start:fix]
extra = {"moving_stddev", "renorm_mean", "renorm_stddev"}
kept = [w.numpy() for w in renorm.weights if w.name not in extra]
plain.set_weights(kept)
# --8<-- [end:fix]

# --8<-- [start:sure]
for name, net in {"untrained": make_model(False), "others set": plain}.items():
    gap = np.abs(renorm(x, training=False) - net(x, training=False)).max()
    print(f"{name}: within 1e-5: {gap < 1e-5}")

again = make_model(renorm=True)
again.load_weights("renorm.weights.h5")
print(len(again.weights), "arrays load into a layer with renorm=True")
config = plain.layers[0].get_config()
print({key: config[key] for key in config if "renorm" in key})
# --8<-- [end:sure]
