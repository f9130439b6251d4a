# --8<-- [start:setup]
import os

import keras
import numpy as np

x = np.random.normal(5, 3, size=(64, 64)).astype("float32")
model = keras.Sequential(
    [
        keras.Input(shape=(64,)),
        keras.layers.Dense(512),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(64),
    ]
)
model.compile(optimizer="adam", loss="mse")
model.fit(x, x, verbose=0)
bytes_of_arrays = sum(array.nbytes for array in model.get_weights())


def report(file):
    times = os.path.getsize(file) / bytes_of_arrays
    print(f"{file:17} {times:.0f} times the arrays of the model")


# --8<-- [end:setup]

# --8<-- [start:see]
model.save("model.keras")
model.save("without.keras", include_optimizer=False)
model.save_weights("model.weights.h5")
model.save("model.h5")
model.save("without.h5", include_optimizer=False)
for file in ["model", "without"]:
    report(f"{file}.keras")
    report(f"{file}.h5")
report("model.weights.h5")
# --8<-- [end:see]

# --8<-- [start:fix]
small = keras.saving.load_model("model.keras", compile=False)
small.save("small.keras")
small.save_weights("small.weights.h5")
report("small.keras")
report("small.weights.h5")
# --8<-- [end:fix]

# --8<-- [start:sure]
from bn_tools import compare, write_record

write_record("record.npz", model, x[:32])
loaded = keras.saving.load_model("small.keras")
print(compare("record.npz", loaded), "compiled:", loaded.compiled)
# --8<-- [end:sure]
