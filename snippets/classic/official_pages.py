# --8<-- [start:attribute_names]
import keras

layer = keras.layers.BatchNormalization()
layer.build((None, 4))
print("moving_mean:", hasattr(layer, "moving_mean"))
print("moving_var:", hasattr(layer, "moving_var"))
print("moving_variance:", hasattr(layer, "moving_variance"))
# --8<-- [end:attribute_names]
