# --8<-- [start:model]
import os

import keras
import numpy as np

from bn_tools import compare, write_record

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(500, 8)).astype("float32")
y = x[:, :1] - x[:, 1:2]

inputs = keras.Input(shape=(8,))
hidden = keras.layers.Dense(16, name="dense1")(inputs)
hidden = keras.layers.BatchNormalization(name="bn")(hidden)
hidden = keras.layers.ReLU(name="relu")(hidden)
outputs = keras.layers.Dense(1, name="dense2")(hidden)
model = keras.Model(inputs, outputs)
model.compile(optimizer="adam", loss="mse")
# --8<-- [end:model]

# --8<-- [start:save]
folder = os.path.abspath("checkpoints")
callback = keras.callbacks.OrbaxCheckpoint(folder)
model.fit(x, y, epochs=3, callbacks=[callback], verbose=0)
write_record("record.npz", model, x[:32])
print(os.listdir("checkpoints"))
# --8<-- [end:save]

# --8<-- [start:load]
reloaded = keras.saving.load_model(folder)
print(compare("record.npz", reloaded))
# --8<-- [end:load]

# --8<-- [start:untrained]
untrained = keras.models.clone_model(model)
print(len(compare("record.npz", untrained)), "differences")
# --8<-- [end:untrained]

# --8<-- [start:reload]
import os

import keras

from bn_tools import compare

loaded = keras.saving.load_model(os.path.abspath("checkpoints"))
print("not the same:", compare("record.npz", loaded))
print("continues after step", int(loaded.optimizer.iterations.numpy()))
# --8<-- [end:reload]
