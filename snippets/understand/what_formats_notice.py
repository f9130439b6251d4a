# --8<-- [start:model]
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(256, 4)).astype("float32")


def build():
    return keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.BatchNormalization(momentum=0.5, name="bn"),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )


model = build()
for _ in range(20):
    model(x, training=True)
predictions = model(x, training=False)

(sound := Path("sound")).mkdir()
model.save(sound / "model.keras")
model.save_weights(sound / "model.weights.h5")
model.save_weights(sound / "model.weights.json", max_shard_size=5e-7)
model.save(sound / "model.h5")
model.export(sound / "exported", verbose=False)
tf.train.Checkpoint(model=model).write(str(sound / "checkpoint"))
np.savez(sound / "model.npz", *model.get_weights())
# --8<-- [end:model]


# --8<-- [start:load]
def load_weights(file):
    net = build()
    net.load_weights(file)
    return net(x, training=False)


def load_model(file):
    return keras.saving.load_model(file)(x, training=False)


def load_export(folder):
    served = tf.saved_model.load(folder)
    return served.serve(x)


def load_checkpoint(prefix):
    net = build()
    status = tf.train.Checkpoint(model=net).read(str(prefix))
    status.assert_existing_objects_matched()
    return net(x, training=False)


def load_npz(file):
    net = build()
    net.set_weights([*np.load(file).values()])
    return net(x, training=False)


load = {
    "model.keras": load_model,
    "model.weights.h5": load_weights,
    "model.weights.json": load_weights,
    "model.h5": load_model,
    "exported": load_export,
    "exported/saved_model.pb": lambda file: load_export(file.parent),
    "checkpoint": load_checkpoint,
    "model.npz": load_npz,
}
for name, function in load.items():
    np.testing.assert_allclose(function(sound / name), predictions, atol=1e-5)
print(len(load), "load")
# --8<-- [end:load]


# --8<-- [start:damage]
variance = model.get_layer("bn").moving_variance.numpy().tobytes()
epsilon = np.float32(model.get_layer("bn").epsilon).tobytes()


def cut(file, share=0.5):
    data = file.read_bytes()
    file.write_bytes(data[: int(share * len(data))])


def flip(file):
    data = file.read_bytes()
    number = epsilon if file.suffix == ".pb" else variance
    assert number in data
    flipped = bytearray(number)
    flipped[3] ^= 0b01000000  # the highest bit of the first exponent
    file.write_bytes(data.replace(number, flipped))


# --8<-- [end:damage]

# --8<-- [start:edit]
import shutil
import zipfile

import h5py


def edit_hdf5(file, part_missing):
    with h5py.File(file, "r+") as opened:
        if "layers" in opened:
            group = opened["layers/batch_normalization/vars"]
            mean, variance = "2", "3"
        else:
            group = opened["model_weights/bn/sequential/bn"]
            mean, variance = "moving_mean", "moving_variance"
        if part_missing:
            del group[variance]
        else:
            both = group[variance][:], group[mean][:]
            group[mean][:], group[variance][:] = both


def edit_archive(file, part_missing):
    with zipfile.ZipFile(file) as archive:
        archive.extractall("parts")
    edit_hdf5("parts/model.weights.h5", part_missing)
    with zipfile.ZipFile(file, "w") as archive:
        for part in Path("parts").iterdir():
            archive.write(part, part.name)


def edit_npz(file, part_missing):
    arrays = dict(np.load(file))
    if part_missing:
        del arrays["arr_3"]
    else:
        arrays["arr_2"], arrays["arr_3"] = arrays["arr_3"], arrays["arr_2"]
    np.savez(file, **arrays)


# --8<-- [end:edit]


# --8<-- [start:table]
main_file = {name: name for name in load} | {
    "model.weights.json": "model_00000.weights.h5",
    "exported": "exported/variables/variables.data-00000-of-00001",
    "checkpoint": "checkpoint.data-00000-of-00001",
}
edit = dict.fromkeys(["model.weights.h5", "model.h5"], edit_hdf5)
edit |= {"model.keras": edit_archive, "model.npz": edit_npz}


def damaged(name, damage, *options):
    folder = Path("damaged")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(sound, folder)
    damage(folder / main_file[name], *options)
    return folder / name


def outcome(name, *damage):
    try:
        found = load[name](damaged(name, *damage))
    except Exception as error:
        return type(error).__name__
    return "OFF" if np.max(np.abs(found - predictions)) > 0.1 else "equal"


def line(name, cells):
    widths = [11, 14, 18, 8]
    text = "".join(f"{c:{width}}" for c, width in zip(cells, widths))
    print(f"{name:24}{text}".rstrip())


line("", ["cut", "bit flipped", "part missing", "swapped"])
for name in load:
    row = [outcome(name, cut), outcome(name, flip)]
    if name in edit:
        row += [outcome(name, edit[name], missing) for missing in (True, False)]
    else:
        row += [outcome(name, Path.unlink), "-"]
    line(name, row)
# --8<-- [end:table]

# --8<-- [start:cut_elsewhere]
silent = [
    (name, share)
    for name in load
    for share in [0.01, 0.25, 0.75, 0.99]
    if outcome(name, cut, share) in ("OFF", "equal")
]
print(silent)
# --8<-- [end:cut_elsewhere]
