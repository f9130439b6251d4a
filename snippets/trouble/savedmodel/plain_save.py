# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

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
for array in model.trainable_variables:  # equal to no other array
    array.assign(np.random.normal(1, 0.1, array.shape))
# --8<-- [end:setup]

# --8<-- [start:see]
tf.saved_model.save(model, "plain")
plain = tf.saved_model.load("plain")
print("has serve:", hasattr(plain, "serve"))
print("has variables:", hasattr(plain, "variables"))
try:
    plain(x)
except TypeError as error:
    print("TypeError:", error)
# --8<-- [end:see]

# --8<-- [start:fix]
model.export("exported", verbose=False)
served = tf.saved_model.load("exported")
print("has serve:", hasattr(served, "serve"))
print("has variables:", hasattr(served, "variables"))
# --8<-- [end:fix]

# --8<-- [start:signature]
print("signatures:", list(plain.signatures))
signature = plain.signatures["serving_default"]
outputs = signature(inputs=tf.constant(x))
print("outputs:", list(outputs))
# --8<-- [end:signature]

# --8<-- [start:sure]
expected = model(x, training=False)
for each in [served.serve(x), outputs["output_0"]]:
    np.testing.assert_allclose(each, expected, rtol=1e-5, atol=1e-5)
print("predictions equal within 1e-5")
for name, variables in {
    "exported": served.variables,
    "plain": signature.variables,
}.items():
    found = [
        any(np.array_equal(array, v) for v in variables)
        for array in model.get_weights()
    ]
    print(f"{name:8} arrays: {sum(found)} of {len(found)}")
# --8<-- [end:sure]
