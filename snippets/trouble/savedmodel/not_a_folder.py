# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

x = np.random.default_rng(0).normal(5, 3, (64, 4)).astype("float32")
layers = [keras.layers.BatchNormalization(), keras.layers.Dense(2)]
model = keras.Sequential([keras.Input((4,)), *layers])
model.export("serving/1", verbose=False)
for _ in range(300):
    model(x, training=True)
model.export("serving/2", verbose=False)
model.save("model.keras")
# --8<-- [end:setup]

# --8<-- [start:see]
for path in ["model.keras", "serving", "serving/1"]:
    try:
        tf.saved_model.load(path)
        print(f"{path}: loaded")
    except OSError as error:
        print(f"OSError: {str(error).partition('/{')[0]}")
# --8<-- [end:see]


# --8<-- [start:fix]
import os


def saved_models_in(path):
    """Return the folders at or below a path that hold a SavedModel.

    Raises:
        ValueError: There is none; the message says what there is instead.
    """
    found = [
        folder
        for folder, _, _ in os.walk(path)
        if tf.saved_model.contains_saved_model(folder)
    ]
    if not found:
        here = "a file" if os.path.isfile(path) else "no SavedModel"
        here = here if os.path.exists(path) else "nothing"
        raise ValueError(f"{os.path.abspath(path)} is {here}")
    return sorted(found)


print(saved_models_in("serving"))
# --8<-- [end:fix]

# --8<-- [start:sure]
predicted = model.predict(x, verbose=0)
for folder in saved_models_in("serving"):
    exported = tf.saved_model.load(folder)
    print(folder, np.allclose(exported.serve(x), predicted, atol=1e-5))
loaded = keras.saving.load_model("model.keras")
print("model.keras", np.allclose(loaded(x), predicted, atol=1e-5))
# --8<-- [end:sure]
