# --8<-- [start:split]
import os

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

jax.config.update("jax_num_cpu_devices", 2)
mesh = Mesh(jax.devices(), ("batch",))

# The halves, one for each device, have nothing in common.
halves = np.random.normal(0, 1, (64, 8)), np.random.normal(10, 1, (64, 8))
batch = np.concatenate(halves).astype("float32")
sharded = jax.device_put(batch, NamedSharding(mesh, PartitionSpec("batch")))
print([shard.data.shape for shard in sharded.addressable_shards])
# --8<-- [end:split]

# --8<-- [start:copy]
net = keras.Sequential(
    [keras.Input(shape=(8,)), keras.layers.BatchNormalization(momentum=0.0)]
)
everywhere = NamedSharding(mesh, PartitionSpec())
trainable, non_trainable = (
    [jax.device_put(variable.value, everywhere) for variable in group]
    for group in [net.trainable_variables, net.non_trainable_variables]
)
# --8<-- [end:copy]


# --8<-- [start:step]
@jax.jit
def forward(trainable, non_trainable, x):
    return net.stateless_call(trainable, non_trainable, x, training=True)


_, (mean, variance) = forward(trainable, non_trainable, sharded)
# --8<-- [end:step]

# --8<-- [start:prove]
for name, part in {"the whole batch": batch, "one half": halves[0]}.items():
    same = np.allclose(mean, part.mean(axis=0), atol=1e-4)
    same &= np.allclose(variance, part.var(axis=0), rtol=1e-4)
    print(f"statistics of {name}: {same}")
# --8<-- [end:prove]

# --8<-- [start:save]
variables = net.trainable_variables + net.non_trainable_variables
values = [*trainable, mean, variance]
for variable, array in zip(variables, values, strict=True):
    variable.assign(array)
net.save("net.keras")
np.savez("expected.npz", *values)
# --8<-- [end:save]

# --8<-- [start:reload]
import keras
import numpy as np

loaded = keras.saving.load_model("net.keras")
expected = np.load("expected.npz")
for i, array in enumerate(loaded.get_weights()):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
print("backend:", keras.config.backend())
print(i + 1, "arrays equal")
# --8<-- [end:reload]
