# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(256, 8)).astype("float32")


def compiled(frozen):
    model = keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.BatchNormalization(name="bn1"),
            keras.layers.ReLU(),
            keras.layers.BatchNormalization(name="bn2"),
        ]
    )
    model.get_layer(frozen).trainable = False
    model.compile(optimizer="adam", loss="mse")
    model.optimizer.build(model.trainable_variables)
    return model


model = compiled(frozen="bn1")
bn1 = model.get_layer("bn1")
bn1.set_weights([array + 1 for array in bn1.get_weights()])
model.fit(x, x, verbose=0)
model.save_weights("model.weights.h5")
# --8<-- [end:setup]

# --8<-- [start:see]
import warnings

for frozen in ["bn1", "bn2"]:
    loaded = compiled(frozen)
    with warnings.catch_warnings(
        record=True, action="always", category=UserWarning
    ) as caught:
        loaded.load_weights("model.weights.h5")
    print(f"{frozen} frozen, warnings: {len(caught)}")
    for into in loaded.optimizer.variables:
        for saved in model.optimizer.variables:
            names = [v.path.partition("_bn")[2] for v in [into, saved]]
            if "momentum" in names[0] and np.array_equal(into, saved):
                print("    bn{} holds bn{}".format(*names))
# --8<-- [end:see]

# --8<-- [start:fix]
loaded = compiled(frozen="bn1")
loaded.load_weights("model.weights.h5")
print("trainable:", [v.path for v in loaded.trainable_variables])
print("step:", int(loaded.optimizer.iterations.numpy()))

loaded.get_layer("bn1").trainable = True
loaded.get_layer("bn2").trainable = False
loaded.compile(optimizer="adam", loss="mse")
print("trainable:", [v.path for v in loaded.trainable_variables])
print("step:", int(loaded.optimizer.iterations.numpy()))
# --8<-- [end:fix]

# --8<-- [start:sure]
from bn_tools import compare, write_record

write_record("model.npz", model, x[:32])
for frozen in ["bn1", "bn2"]:
    loaded = compiled(frozen)
    loaded.load_weights("model.weights.h5")
    print(f"{frozen} frozen:", *compare("model.npz", loaded), sep="\n    ")
# --8<-- [end:sure]
