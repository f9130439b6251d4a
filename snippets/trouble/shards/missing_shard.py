# --8<-- [start:setup]
import shutil
from pathlib import Path

import keras
import numpy as np


def compiled():
    model = keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.Dense(1000, name="dense"),
            keras.layers.BatchNormalization(name="bn"),
            keras.layers.ReLU(),
            keras.layers.Dense(1, name="head"),
        ]
    )
    model.compile(optimizer="adam", loss="mse")
    model.optimizer.build(model.trainable_variables)
    return model


x = np.random.normal(5, 3, size=(64, 8)).astype("float32")
model = compiled()
model.fit(x, x[:, :1], verbose=0)
Path("saved").mkdir()
model.save_weights("saved/s.weights.json", max_shard_size=40 / 1024**2)
# --8<-- [end:setup]


# --8<-- [start:see]
def load_without(lost):
    shutil.rmtree("incomplete", ignore_errors=True)
    shutil.copytree("saved", "incomplete")
    if lost:
        Path("incomplete", lost).unlink()
    net, raised = compiled(), "nothing"
    try:
        net.load_weights("incomplete/s.weights.json")
    except (FileNotFoundError, ValueError) as error:
        raised = type(error).__name__
    equal = sum(map(np.array_equal, model.get_weights(), net.get_weights()))
    step = int(net.optimizer.iterations.numpy())
    print(f"{lost or 'none':18}  {raised:17}  equal: {equal} of 8, step {step}")
    return net


load_without("")
for path in sorted(Path("saved").glob("*.h5")):
    load_without(path.name)
# --8<-- [end:see]

# --8<-- [start:start]
bn = load_without("s_00001.weights.h5").get_layer("bn")
print("gamma still 1:", np.all(bn.gamma == 1))
print("moving_variance still 1:", np.all(bn.moving_variance == 1))
# --8<-- [end:start]

# --8<-- [start:fix]
import json


def missing_shards(path):
    """Return the shards that the index names and that are not beside it."""
    path = Path(path)
    shards = json.loads(path.read_text("utf-8"))["weight_map"].values()
    named = {name for names in shards for name in np.ravel(names).tolist()}
    return sorted(name for name in named if not path.with_name(name).exists())


# --8<-- [end:fix]

# --8<-- [start:sure]
for folder in ["saved", "incomplete"]:
    print(folder, missing_shards(f"{folder}/s.weights.json"))
# --8<-- [end:sure]
