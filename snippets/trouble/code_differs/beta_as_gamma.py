# --8<-- [start:setup]
import keras
import numpy as np

from bn_tools import compare, write_record

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 4)).astype("float32")


def build(**settings):
    return keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.BatchNormalization(
                momentum=0.5, name="bn", **settings
            ),
            keras.layers.Dense(3),
        ]
    )


model = build(scale=False)
for _ in range(20):
    model(x, training=True)
beta = np.array([0.5, -0.5, 2, -2], "float32")
model.get_layer("bn").beta.assign(beta)  # as training would
predictions = model(x, training=False)
write_record("record.npz", model, x[:32])
model.save_weights("model.weights.h5")
# --8<-- [end:setup]

# --8<-- [start:see]
for lacks in ["scale", "center"]:
    net = build(**{lacks: False})
    net.load_weights("model.weights.h5")
    first = net.get_layer("bn").weights[0]
    holds = np.array_equal(first, beta)
    off = np.max(np.abs(net(x, training=False) - predictions)) > 0.1
    print(
        f"{lacks}=False: {first.name} holds beta of the file: {holds},", end=" "
    )
    print("off by 0.1:", off)
# --8<-- [end:see]

# --8<-- [start:fix]
for lacks in ["center", "scale"]:
    rebuilt = build(**{lacks: False})
    rebuilt.load_weights("model.weights.h5")
    found = compare("record.npz", rebuilt) or ["nothing differs"]
    print(f"{lacks}=False", *found, sep="\n    ")
# --8<-- [end:fix]

# --8<-- [start:sure]
model.save("model.keras")
bn = keras.saving.load_model("model.keras").get_layer("bn")
print(f"scale={bn.scale}, center={bn.center}")
# --8<-- [end:sure]
