# --8<-- [start:setup]
import keras
import numpy as np

from bn_tools import compare, write_record


@keras.saving.register_keras_serializable()
class Sample(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed = keras.random.SeedGenerator(0)

    def call(self, x):
        noise = keras.random.normal(keras.ops.shape(x), seed=self.seed)
        return x + noise


def tell(name, file, model):
    found = compare(file, model) or ["nothing differs"]
    print(name, *found, sep="\n    ")


x = np.random.normal(5, 3, size=(256, 4)).astype("float32")
norm = keras.Sequential(
    [keras.Input(shape=(4,)), keras.layers.BatchNormalization()]
)
for _ in range(100):
    norm(x, training=True)
draws = keras.Sequential([keras.Input(shape=(4,)), norm, Sample()])
# --8<-- [end:setup]

# --8<-- [start:see]
for used in ["never used", "used before"]:
    if used == "used before":
        draws(x[:1])
    write_record("draws.npz", draws, x[:32])
    draws.save("draws.keras")
    loaded = keras.saving.load_model("draws.keras")
    tell(used, "draws.npz", loaded)
# --8<-- [end:see]

# --8<-- [start:keep]
states = [v for v in draws.variables if "seed_generator_state" in v.path]
np.savez("states.npz", *[state.numpy() for state in states])
# --8<-- [end:keep]

# --8<-- [start:fix]
states = [v for v in loaded.variables if "seed_generator_state" in v.path]
with np.load("states.npz") as kept:
    for i, state in enumerate(states):
        state.assign(kept[f"arr_{i}"])
tell("drawing from the same state", "draws.npz", loaded)
# --8<-- [end:fix]

# --8<-- [start:part]
write_record("norm.npz", draws.layers[0], x[:32])
tell("up to the layer that draws", "norm.npz", loaded.layers[0])
# --8<-- [end:part]

# --8<-- [start:sure]
before = states[0].numpy()
compare("draws.npz", loaded)
print("compare leaves the state:", np.array_equal(states[0], before))
loaded(x[:1])
print("a call leaves the state:", np.array_equal(states[0], before))
# --8<-- [end:sure]
