# --8<-- [start:setup]
import keras
import numpy as np


def build_model(outputs):
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.Dense(4, name="dense"),
            keras.layers.BatchNormalization(name="bn"),
            keras.layers.Dense(outputs, name="head"),
        ]
    )


x = np.random.normal(5, 3, size=(64, 8)).astype("float32")
model = build_model(outputs=1)
model.compile(optimizer="adam", loss="mse")
model.fit(x, x[:, :1], verbose=0)
model.save_weights("model.weights.h5")
# --8<-- [end:setup]

# --8<-- [start:see]
for outputs in [1, 3]:
    try:
        build_model(outputs).load_weights("model.weights.h5")
        print(f"{outputs} outputs: loaded")
    except ValueError as error:
        message = str(error).partition(" Target variable")[0]
        print(f"{outputs} outputs: ValueError:", message)
# --8<-- [end:see]

# --8<-- [start:fix]
import warnings

new = build_model(outputs=3)
with warnings.catch_warnings(
    record=True, action="always", category=UserWarning
) as caught:
    new.load_weights(
        "model.weights.h5", objects_to_skip=[new.get_layer("head")]
    )
print("warnings:", len(caught))
# --8<-- [end:fix]

# --8<-- [start:sure]
for name in ["dense", "bn", "head"]:
    arrays = [net.get_layer(name).get_weights() for net in [model, new]]
    print(f"{name:5} equal: {all(map(np.array_equal, *arrays))}")
# --8<-- [end:sure]

# --8<-- [start:early]
early = build_model(outputs=3)
early.compile(optimizer="adam", loss="mse")
early.optimizer.build(early.trainable_variables)
try:
    early.load_weights(
        "model.weights.h5", objects_to_skip=[early.get_layer("head")]
    )
except ValueError as error:
    print("ValueError:", str(error).partition(". ")[0])
    print("step of the optimizer:", int(early.optimizer.iterations.numpy()))
# --8<-- [end:early]
