# --8<-- [start:setup]
import os

import keras
import numpy as np

x = np.random.normal(5, 3, size=(64, 8)).astype("float32")
y = x[:, :1] - x[:, 1:2]

inputs = keras.Input(shape=(8,))
hidden = keras.layers.Dense(16, name="dense1")(inputs)
hidden = keras.layers.BatchNormalization(name="bn")(hidden)
outputs = keras.layers.Dense(1, name="dense2")(hidden)
model = keras.Model(inputs, outputs)
model.compile(optimizer="adam", loss="mse")

folder = os.path.abspath("checkpoints")
callback = keras.callbacks.OrbaxCheckpoint(folder)
model.fit(x, y, epochs=3, callbacks=[callback], verbose=0)


def show(case, net):
    same = sum(map(np.array_equal, model.variables, net.variables))
    print(f"{case:15} {same} of 8 arrays equal")


# --8<-- [end:setup]


# --8<-- [start:see]
def renamed(layer):
    settings = {**layer.get_config(), "name": f"new_{layer.name}"}
    return layer.from_config(settings)


clone = keras.models.clone_model
show("not loaded", clone(model))
other = clone(model, clone_function=renamed)
other.compile(optimizer="adam", loss="mse")
other.load_weights(folder)
show("other names", other)
# --8<-- [end:see]

# --8<-- [start:fix]
named = clone(model)
named.compile(optimizer="adam", loss="mse")
named.load_weights(folder)
show("the same names", named)
uncompiled = clone(model)
uncompiled.load_weights(folder)
show("uncompiled", uncompiled)
# --8<-- [end:fix]

# --8<-- [start:sure]
loaded = keras.saving.load_model(folder)
show("load_model", loaded)
print("step, load_weights:", int(named.optimizer.iterations.numpy()))
print("step, load_model:  ", int(loaded.optimizer.iterations.numpy()))
# --8<-- [end:sure]
