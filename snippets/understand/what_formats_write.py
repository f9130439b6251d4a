# --8<-- [start:model]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(640, 3)).astype("float32")
y = x[:, :2] - x[:, 1:]

model = keras.Sequential(
    [
        keras.Input(shape=(3,)),
        keras.layers.Dense(2, name="dense"),
        keras.layers.BatchNormalization(name="bn"),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mean_squared_error")
model.fit(x, y, epochs=5, verbose=0)
# --8<-- [end:model]


# --8<-- [start:mark]
four = {
    array: getattr(model.get_layer("bn"), array).numpy()
    for array in ["gamma", "beta", "moving_mean", "moving_variance"]
}


def show(name, value):
    for array, known in four.items():
        if np.array_equal(value, known):
            name += f"  <- {array}"
    print(name)


for variable in model.variables:
    show(variable.path, variable.numpy())
# --8<-- [end:mark]

# --8<-- [start:archive]
import zipfile

model.save("model.keras")
with zipfile.ZipFile("model.keras") as archive:
    for name in archive.namelist():
        print(name)
# --8<-- [end:archive]

# --8<-- [start:config]
import json

with zipfile.ZipFile("model.keras") as archive:
    config = json.loads(archive.read("config.json"))
    metadata = json.loads(archive.read("metadata.json"))

print("metadata:", ", ".join(sorted(metadata)))
print("model:", config["class_name"])
for layer in config["config"]["layers"]:
    print("layer:", layer["class_name"])
bn = config["config"]["layers"][2]["config"]
for setting in ["axis", "epsilon", "momentum", "trainable"]:
    print(f"  {setting}: {bn[setting]}")
print("optimizer:", config["compile_config"]["optimizer"]["class_name"])
# --8<-- [end:config]

# --8<-- [start:archive_arrays]
import h5py


def arrays_in(file, only=""):
    found = {}

    def visit(name, node):
        if isinstance(node, h5py.Dataset) and only in name:
            found[name] = node[()]

    file.visititems(visit)
    return found


with zipfile.ZipFile("model.keras") as archive:
    with archive.open("model.weights.h5") as stored:
        with h5py.File(stored) as file:
            in_archive = arrays_in(file)
for name, value in in_archive.items():
    show(name, value)
# --8<-- [end:archive_arrays]

# --8<-- [start:weights]
model.save_weights("model.weights.h5")
with h5py.File("model.weights.h5") as file:
    alone = arrays_in(file)

print("names as in the archive:", list(alone) == list(in_archive))
equal = [np.array_equal(alone[name], in_archive[name]) for name in alone]
print("equal arrays:", equal.count(True), "of", len(equal))
# --8<-- [end:weights]

# --8<-- [start:attributes]
with h5py.File("model.weights.h5") as file:
    group = file["layers/batch_normalization/vars"]
    print("attributes of the group:", dict(group.attrs))
    print("attributes of the arrays:", [dict(v.attrs) for v in group.values()])
# --8<-- [end:attributes]

# --8<-- [start:numbers]
shifted = keras.Sequential(
    [keras.Input(shape=(3,)), keras.layers.BatchNormalization(scale=False)]
)
for number, variable in enumerate(shifted.layers[0].weights):
    print(f"vars/{number} would be {variable.name}")

shifted.layers[0].moving_mean.assign([1, 2, 3])
shifted.save_weights("shifted.weights.h5")
with h5py.File("shifted.weights.h5") as file:
    print("vars/1 holds", file["layers/batch_normalization/vars/1"][()])
# --8<-- [end:numbers]

# --8<-- [start:legacy]
keras.saving.load_model("model.keras").save("model.h5")
with h5py.File("model.h5") as file:
    print("attributes:", ", ".join(file.attrs))
    for name, value in arrays_in(file).items():
        show(name, value)
# --8<-- [end:legacy]

# --8<-- [start:savedmodel]
from pathlib import Path

model.export("exported", verbose=False)
for path in sorted(Path("exported").rglob("*")):
    if path.is_file():
        print(path.as_posix())
# --8<-- [end:savedmodel]

# --8<-- [start:savedmodel_arrays]
import tensorflow as tf

served = tf.saved_model.load("exported")
for variable in served.variables:
    show(variable.name, variable.numpy())
# --8<-- [end:savedmodel_arrays]

# --8<-- [start:savedmodel_keys]
reader = tf.train.load_checkpoint("exported/variables/variables")
for key in sorted(reader.get_variable_to_shape_map()):
    if key.startswith("variables/"):
        name = key.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE")
        show(name, reader.get_tensor(key))
# --8<-- [end:savedmodel_keys]


# --8<-- [start:checkpoint]
path = tf.train.Checkpoint(model=model).save("checkpoints/net")
for file in sorted(Path("checkpoints").iterdir()):
    print(file.as_posix())
# --8<-- [end:checkpoint]


# --8<-- [start:checkpoint_keys]
def show_checkpoint(path, only=""):
    reader = tf.train.load_checkpoint(path)
    for key, shape in tf.train.list_variables(path):
        if key != "_CHECKPOINTABLE_OBJECT_GRAPH" and only in key:
            name = key.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE")
            show(name, reader.get_tensor(key))


show_checkpoint(path)
# --8<-- [end:checkpoint_keys]
