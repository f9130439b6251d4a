# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf


def build():
    return keras.Sequential(
        [keras.Input(shape=(4,)), keras.layers.BatchNormalization()]
    )


model = build()
for variable in model.variables:
    variable.assign(np.random.uniform(1, 2, 4))
print(tf.train.Checkpoint(model=model).save("checkpoints/net"))
# --8<-- [end:setup]


# --8<-- [start:see]
def restored_from(path):
    loaded = build()
    tf.train.Checkpoint(model=loaded).restore(path)
    equal = sum(map(np.array_equal, model.variables, loaded.variables))
    print(f"{path}: {equal} of 4 arrays equal")


for place in ["checkpoints/net", "checkpoint", "checkpoints"]:
    restored_from(tf.train.latest_checkpoint(place))
# --8<-- [end:see]

# --8<-- [start:index]
restored_from("checkpoints/net-1.index")
# --8<-- [end:index]

# --8<-- [start:manager]
for folder in ["checkpoint", "checkpoints"]:
    checkpoint = tf.train.Checkpoint(model=build())
    manager = tf.train.CheckpointManager(checkpoint, folder, max_to_keep=2)
    print(manager.restore_or_initialize())
# --8<-- [end:manager]

# --8<-- [start:folder]
try:
    restored_from("checkpoints")
except tf.errors.DataLossError as error:
    print("DataLossError:", error.message.partition(":")[0])
# --8<-- [end:folder]

# --8<-- [start:prefix]
try:
    restored_from("checkpoints/net")
except tf.errors.NotFoundError as error:
    print("NotFoundError:", error.message.partition(":")[0])
# --8<-- [end:prefix]

# --8<-- [start:none]
tf.train.Checkpoint(model=model).write("written/net")
model.save_weights("kept.weights.h5")
for place in ["written", "."]:
    print(f"{place}: {tf.train.latest_checkpoint(place)}")
# --8<-- [end:none]


# --8<-- [start:fix]
def latest(folder):
    path = tf.train.latest_checkpoint(folder)
    if path is None:
        raise FileNotFoundError(f"no checkpoint in {folder}")
    return path


restored_from(latest("checkpoints"))
# --8<-- [end:fix]

# --8<-- [start:sure]
for place in ["checkpoints/net", "checkpoint"]:
    try:
        restored_from(latest(place))
    except FileNotFoundError as error:
        print("FileNotFoundError:", error)

path = latest("checkpoints")
for name, file in [("model", path), ("net", path), ("model", path + ".index")]:
    status = tf.train.Checkpoint(**{name: build()}).restore(file)
    try:
        status.assert_existing_objects_matched()
        print(f"{name} from {file}: matched")
    except AssertionError:
        print(f"{name} from {file}: AssertionError")
# --8<-- [end:sure]
