# --8<-- [start:setup]
import keras
import numpy as np


def build_model(norm):
    layers = [keras.layers.BatchNormalization(name="bn")] if norm else []
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.Dense(4),
            *layers,
            keras.layers.Dense(1),
        ]
    )


x = np.random.normal(5, 3, size=(64, 8)).astype("float32")
models = {"with": build_model(norm=True), "without": build_model(norm=False)}
for name, model in models.items():
    model(x, training=True)
    model.save_weights(f"{name}.weights.h5")
# --8<-- [end:setup]

# --8<-- [start:see]
for name in models:
    loaded = build_model(norm=True)
    try:
        loaded.load_weights(f"{name}.weights.h5")
        print(f"file {name} the layer: loaded")
    except ValueError as error:
        print(f"file {name} the layer:")
        print("ValueError:", str(error).splitlines()[2])
# --8<-- [end:see]

# --8<-- [start:fix]
rebuilt = build_model(norm=False)
rebuilt.load_weights("without.weights.h5")
predictions = [net(x, training=False) for net in [models["without"], rebuilt]]
print("predictions equal:", np.array_equal(*predictions))
# --8<-- [end:fix]

# --8<-- [start:sure]
import h5py

for name in models:
    with h5py.File(f"{name}.weights.h5") as file:
        print(f"{name}:", *file["layers"])
# --8<-- [end:sure]
