# --8<-- [start:build]
import keras
import numpy as np


def build_model():
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.Dense(1000, name="dense"),
            keras.layers.BatchNormalization(name="bn"),
            keras.layers.ReLU(),
            keras.layers.Dense(1, name="head"),
        ]
    )


def compiled():
    model = build_model()
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
    model.optimizer.build(model.trainable_variables)
    return model


# --8<-- [end:build]

# --8<-- [start:train]
keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(320, 8)).astype("float32")
y = x[:, :1] - x[:, 1:2]

model = compiled()
model.fit(x, y, epochs=5, verbose=0)
# --8<-- [end:train]

# --8<-- [start:save]
from pathlib import Path

KIB = 1 / 1024**2  # max_shard_size counts in units of 1024**3 bytes

Path("saved").mkdir()
model.save_weights("saved/s.weights.json", max_shard_size=40 * KIB)
for path in sorted(Path("saved").iterdir()):
    print(path.as_posix())
# --8<-- [end:save]

# --8<-- [start:index]
import json

index = json.loads(Path("saved/s.weights.json").read_text())
for place, shards in index["weight_map"].items():
    print(place)
    for shard in shards:
        print("   ", shard)
# --8<-- [end:index]

# --8<-- [start:split]
import h5py

bn = model.get_layer("bn")
for path in sorted(Path("saved").glob("*.h5")):
    with h5py.File(path) as file:
        group = file.get("layers/batch_normalization/vars", {})
        for number, stored in group.items():
            for variable in bn.weights:
                if np.array_equal(stored[()], variable.numpy()):
                    print(f"{path.name}  vars/{number}  {variable.name}")
# --8<-- [end:split]

# --8<-- [start:load]
rebuilt = build_model()
rebuilt.load_weights("saved/s.weights.json")
# --8<-- [end:load]

# --8<-- [start:prove]
untrained = build_model().get_layer("bn")  # the layer as it starts
for array in ["gamma", "beta", "moving_mean", "moving_variance"]:
    start, saved, loaded = (
        getattr(layer, array).numpy()
        for layer in [untrained, bn, rebuilt.get_layer("bn")]
    )
    learned = not np.array_equal(saved, start)
    equal = np.array_equal(saved, loaded)
    print(f"{array:16} learned: {learned}  equal: {equal}")

for saved, loaded in zip(model.weights, rebuilt.weights, strict=True):
    np.testing.assert_array_equal(saved.numpy(), loaded.numpy())
np.testing.assert_array_equal(
    model(x, training=False), rebuilt(x, training=False)
)
print(len(model.weights), "arrays and", len(x), "predictions equal")
# --8<-- [end:prove]

# --8<-- [start:expect]
np.savez(
    "expected.npz",
    *model.get_weights(),
    x=x,
    predictions=model(x, training=False),
)
# --8<-- [end:expect]

# --8<-- [start:reload]
reloaded = build_model()
reloaded.load_weights("saved/s.weights.json")
expected = np.load("expected.npz")

for i, array in enumerate(reloaded.get_weights()):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
np.testing.assert_array_equal(
    reloaded(expected["x"], training=False), expected["predictions"]
)
print("equal in a process that did not save")
# --8<-- [end:reload]

# --8<-- [start:resume]
resumed = compiled()
print("steps taken before loading:", int(resumed.optimizer.iterations.numpy()))

resumed.load_weights("saved/s.weights.json")
for saved, loaded in zip(
    model.optimizer.variables, resumed.optimizer.variables, strict=True
):
    np.testing.assert_array_equal(saved.numpy(), loaded.numpy())
print("steps taken:", int(resumed.optimizer.iterations.numpy()))
# --8<-- [end:resume]
