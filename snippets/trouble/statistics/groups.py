# --8<-- [start:see]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(4, 8, 8, 16)).astype("float32")
try:
    keras.layers.GroupNormalization()(x)
except ValueError as error:
    start = str(error).index("Number of groups")
    print("ValueError:", str(error)[start:].partition(".")[0])
wide = np.concatenate([x, x], axis=-1)
print("32 channels:", keras.layers.GroupNormalization()(wide).shape)
# --8<-- [end:see]

# --8<-- [start:fix]
layer = keras.layers.GroupNormalization(groups=8)
print("8 groups:", layer(x).shape)
# --8<-- [end:fix]

# --8<-- [start:dense]
rows = x[:, 0, 0]  # as after Dense: 16 channels, and no pixels
for groups in [16, 8, 1]:
    outputs = keras.layers.GroupNormalization(groups=groups)(rows)
    print(f"{groups:2} groups:", *np.round(outputs[0, :6], 1))
outputs = keras.layers.GroupNormalization(groups=16)(x)
print("images, 16 groups:", *np.round(outputs[0, 0, 0, :6], 1))
# --8<-- [end:dense]

# --8<-- [start:sure]
equal = np.allclose(layer(x[:1]), layer(x)[:1], atol=1e-5)
print("a row by itself, as in the batch:", equal)
bn = keras.layers.BatchNormalization()
for training in [True, False]:
    alone, batch = bn(x[:1], training=training), bn(x, training=training)
    equal = np.allclose(alone, batch[:1], atol=1e-5)
    print(f"BatchNormalization, training={training}: {equal}")
for channels in [16, 64, 100]:
    groups = np.gcd(channels, 8)
    x = np.random.normal(5, 3, size=(4, 8, 8, channels)).astype("float32")
    keras.layers.GroupNormalization(groups=int(groups))(x)
    print(f"{channels} channels, {groups} groups: runs")
# --8<-- [end:sure]
