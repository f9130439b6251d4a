# --8<-- [start:first_difference]
import keras
import numpy as np
from bn_evidence import first_difference

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 4)).astype("float32")
inner = keras.Sequential([keras.Input((4,)), keras.layers.ReLU(name="relu")])
good = keras.Sequential([keras.Input((4,)), inner, keras.layers.Dense(2)])
model = keras.models.clone_model(good)
model.set_weights(good.get_weights())

print(first_difference(model, good, x))
model.layers[0].get_layer("relu").max_value = 6.0
print(first_difference(model, good, x))
# --8<-- [end:first_difference]
