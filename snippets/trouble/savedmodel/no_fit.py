# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(256, 8)).astype("float32")
model = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.Dense(4),
        keras.layers.BatchNormalization(),
    ]
)
model.compile(optimizer="sgd", loss="mse")
model.fit(x, x[:, :4], verbose=0)
# --8<-- [end:setup]

# --8<-- [start:see]
model.export("exported", verbose=False)
served = tf.saved_model.load("exported")
print("without training:", served.serve(x).shape)
try:
    served.serve(x, training=True)
except TypeError as error:
    print("TypeError:", str(error).partition(" Received")[0])
print("has fit:", hasattr(served, "fit"))
print("has an optimizer:", hasattr(served, "optimizer"))
# --8<-- [end:see]

# --8<-- [start:fix]
model.save("model.keras")

loaded = keras.saving.load_model("model.keras")
print("steps taken:", int(loaded.optimizer.iterations.numpy()))
loaded.fit(x, x[:, :4], verbose=0)
print("steps taken:", int(loaded.optimizer.iterations.numpy()))
# --8<-- [end:fix]

# --8<-- [start:sure]
loaded.export("exported_again", verbose=False)
expected = loaded(x, training=False)
for folder in ["exported", "exported_again"]:
    served = tf.saved_model.load(folder)
    equal = np.allclose(served.serve(x), expected, rtol=1e-5, atol=1e-5)
    print(f"{folder:14} equal to the trained model: {equal}")
# --8<-- [end:sure]
