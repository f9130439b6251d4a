# --8<-- [start:setup]
import keras
import numpy as np

x = np.random.normal(5, 3, size=(256, 8)).astype("float32")
model = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.Dense(4),
        keras.layers.BatchNormalization(),
    ]
)
for _ in range(100):
    model(x, training=True)
model.save("model.keras")
model.export("exported", verbose=False)
# --8<-- [end:setup]

# --8<-- [start:see]
for path in ["model.keras", "exported"]:
    try:
        keras.saving.load_model(path)
        print(f"{path}: loaded")
    except ValueError as error:
        print(f"{path}: ValueError:", *str(error).split(". "), sep="\n    ")
# --8<-- [end:see]

# --8<-- [start:fix]
import tensorflow as tf

served = tf.saved_model.load("exported")
layer = keras.layers.TFSMLayer("exported", call_endpoint="serve")
# --8<-- [end:fix]

# --8<-- [start:sure]
expected = model(x, training=False)
for outputs in [served.serve(x), layer(x, training=False)]:
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-5)
print("predictions equal within 1e-5")
for endpoint in ["serve", "serving_default", "call"]:
    there = hasattr(served, endpoint) or endpoint in served.signatures
    print(f"{endpoint:15}", there)
# --8<-- [end:sure]
