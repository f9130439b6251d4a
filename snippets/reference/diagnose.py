# --8<-- [start:diagnose]
import keras
import numpy as np
from bn_tools import write_record
from diagnose import diagnose

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 4)).astype("float32")
model = keras.Sequential(
    [
        keras.Input((4,)),
        keras.layers.BatchNormalization(name="bn", momentum=0.0),
    ]
)
model(x, training=True)
write_record("model.npz", model, x)

diagnose("model.npz", model, data=x)
gamma, beta, mean, variance = model.get_weights()
model.set_weights([beta, gamma, mean, variance])
result = diagnose("model.npz", model, data=x)
print(sorted(result))
# --8<-- [end:diagnose]
