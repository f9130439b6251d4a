# --8<-- [start:see]
import tensorflow as tf

model = tf.keras.Sequential(
    [tf.keras.Input(shape=(4,)), tf.keras.layers.BatchNormalization()]
)
model.save("model.keras")
try:
    tf.keras.saving.load_model("model.keras")
except AttributeError as error:
    print("AttributeError:", error)
# --8<-- [end:see]

# --8<-- [start:fix]
import keras

loaded = keras.saving.load_model("model.keras")
print(len(loaded.weights), "arrays loaded")
# --8<-- [end:fix]

# --8<-- [start:sure]
print("keras", keras.__version__.partition(".")[0])
print("one Keras:", type(loaded) is type(model))
# --8<-- [end:sure]
