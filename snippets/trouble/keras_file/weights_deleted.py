# --8<-- [start:model]
from pathlib import Path

import keras
import numpy as np


def build():
    return keras.Sequential(
        [keras.Input(shape=(4,)), keras.layers.BatchNormalization(name="bn")]
    )


best = build()
for i, array in enumerate(best.weights):
    array.assign(np.full(4, 5 + i))
# --8<-- [end:model]


# --8<-- [start:try]
def still_there(weights):
    """Say whether a file of weights outlives a save, and a load."""
    for name, act in {
        "saved ": lambda: build().save("latest.keras"),
        "loaded": lambda: keras.saving.load_model("latest.keras"),
    }.items():
        best.save_weights(weights)
        act()
        print(f"latest.keras {name} {weights}: {Path(weights).exists()}")


# --8<-- [end:try]

# --8<-- [start:write]
still_there("model.weights.h5")
still_there("best.weights.h5")
# --8<-- [end:write]

# --8<-- [start:see]
still_there("model.weights.h5")
# --8<-- [end:see]

# --8<-- [start:fix]
Path("weights").mkdir()
best.save_weights("weights/model.weights.h5")
build().save("latest.keras")
# --8<-- [end:fix]

# --8<-- [start:sure]
again = build()
again.load_weights("weights/model.weights.h5")
print("all four arrays:", all(map(np.array_equal, again.weights, best.weights)))
again = build()
again.load_weights("best.weights.h5")  # the one that Keras 3.4.1 left
print("all four arrays:", all(map(np.array_equal, again.weights, best.weights)))
# --8<-- [end:sure]
