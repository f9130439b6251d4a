# --8<-- [start:setup]
import keras
import numpy as np


def build_model():
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.Dense(4),
            keras.layers.BatchNormalization(name="bn"),
        ]
    )


x = np.random.normal(5, 3, size=(64, 8)).astype("float32")
model = build_model()
model(x, training=True)
saved = model.get_layer("bn").get_weights()


def report(name, net):
    counts = []
    for fit in [False, True]:
        if fit:
            net.compile(optimizer="sgd", loss="mse")
            net.fit(x, x[:, :4], verbose=0)
        arrays = net.get_layer("bn").get_weights()
        counts.append(sum(map(np.array_equal, saved, arrays)))
    print(f"{name:6} 4 arrays, as saved: {counts[0]}, after fit: {counts[1]}")


# --8<-- [end:setup]

# --8<-- [start:see]
model.get_layer("bn").trainable = False
model.save_weights("frozen.weights.h5")

thawed = build_model()
thawed.load_weights("frozen.weights.h5")
for name, net in {"saved": model, "loaded": thawed}.items():
    print(f"{name:6} trainable: {net.get_layer('bn').trainable}")
    report(name, net)
# --8<-- [end:see]

# --8<-- [start:fix]
frozen = build_model()
frozen.get_layer("bn").trainable = False
frozen.load_weights("frozen.weights.h5")
report("frozen", frozen)
# --8<-- [end:fix]

# --8<-- [start:sure]
from bn_tools import compare, write_record

write_record("model.npz", model, x)
model.save_weights("frozen.weights.h5")

for flag in [True, False]:
    loaded = build_model()
    loaded.get_layer("bn").trainable = flag
    loaded.load_weights("frozen.weights.h5")
    print(f"trainable = {flag}:", *compare("model.npz", loaded), sep="\n    ")
# --8<-- [end:sure]
