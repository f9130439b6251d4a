# --8<-- [start:setup]
import keras
import numpy as np

from bn_tools import compare, write_record


class Sample(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed = keras.random.SeedGenerator(0)

    def call(self, x):
        noise = keras.random.normal(keras.ops.shape(x), seed=self.seed)
        return x + noise


def tell(name, model, file="draws.npz"):
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
state = draws.layers[-1].seed.state
start = state.numpy()
write_record("draws.npz", draws, x[:32])
write_record("norm.npz", norm, x[:32])
tell("the same model", draws)

draws(x[:1])
tell("one call later", draws)
# --8<-- [end:see]

# --8<-- [start:fix]
tell("up to the layer that draws", norm, "norm.npz")

state.assign(start)
tell("drawing from the same state", draws)
# --8<-- [end:fix]

# --8<-- [start:sure]
before = state.numpy()
compare("draws.npz", draws)
print("compare leaves the state:", np.array_equal(state, before))
draws(x[:1])
print("a call leaves the state:", np.array_equal(state, before))
# --8<-- [end:sure]
