# --8<-- [start:sums]
import hashlib
from pathlib import Path


def sums_of(folder):
    sums = {}
    for file in Path(folder).rglob("*"):
        name = file.relative_to(folder).as_posix()
        if file.is_symlink() and file.is_dir():
            raise ValueError(f"{name} links to a folder, which is not read")
        if file.is_file() and name != "SHA256SUMS":
            with open(file, "rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            sums[name] = digest
    return sums


def write_sums(folder):
    lines = [f"{digest}  {name}\n" for name, digest in sums_of(folder).items()]
    if not lines:
        raise FileNotFoundError(f"no files in {folder}")
    Path(folder, "SHA256SUMS").write_text("".join(sorted(lines)), "utf-8")


def damaged_files(folder):
    text = Path(folder, "SHA256SUMS").read_text("utf-8")
    was = {line[66:]: line[:64] for line in text.splitlines()}
    now = sums_of(folder)
    found = [f"{name} is missing" for name in was.keys() - now.keys()]
    found += [f"{name} was not there" for name in now.keys() - was.keys()]
    both = was.keys() & now.keys()
    found += [f"{name} has changed" for name in both if was[name] != now[name]]
    return sorted(found)


# --8<-- [end:sums]

# --8<-- [start:model]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(256, 4)).astype("float32")
y = np.argmax(x[:, :3], axis=1)


def build():
    return keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.BatchNormalization(momentum=0.9, name="bn"),
            keras.layers.Dense(16, activation="relu", name="hidden"),
            keras.layers.Dense(3, activation="softmax", name="output"),
        ]
    )


model = build()
model.compile(
    optimizer=keras.optimizers.Adam(0.01),
    loss="sparse_categorical_crossentropy",
)
model.fit(x, y, epochs=15, verbose=0)
predictions = model(x, training=False)
# --8<-- [end:model]

# --8<-- [start:save]
import tensorflow as tf

sound = Path("sound")
sound.mkdir()
model.save(sound / "model.keras")
model.save_weights(sound / "model.weights.h5")
model.save_weights(sound / "model.weights.json", max_shard_size=5e-7)
model.save(sound / "model.h5")
model.export(sound / "exported", verbose=False)
tf.train.Checkpoint(model=model).write(str(sound / "checkpoint"))
np.savez(sound / "model.npz", *model.get_weights())
# --8<-- [end:save]


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


def load_graph(file):
    return load_export(file.parent)


def load_checkpoint(prefix):
    net = build()
    status = tf.train.Checkpoint(model=net).read(str(prefix))
    status.assert_existing_objects_matched()
    return net(x, training=False)


def load_npz(file):
    net = build()
    net.set_weights(list(np.load(file).values()))
    return net(x, training=False)


load = {
    "model.keras": load_model,
    "model.weights.h5": load_weights,
    "model.weights.json": load_weights,
    "model.h5": load_model,
    "exported": load_export,
    "exported/saved_model.pb": load_graph,
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
            swapped = group[variance][:], group[mean][:]
            group[mean][:], group[variance][:] = swapped


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
edit = {
    "model.keras": edit_archive,
    "model.npz": edit_npz,
    "model.weights.h5": edit_hdf5,
    "model.h5": edit_hdf5,
}


def damaged(name, damage, *options):
    folder = Path("damaged")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(sound, folder)
    damage(folder / main_file[name], *options)
    return folder / name


def outcome(name, *damage):
    file = damaged(name, *damage)
    try:
        found = load[name](file)
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

# --8<-- [start:flip]
for name in ["model.weights.h5", "model.h5"]:
    shutil.copy(sound / name, name)
    for damage in [None, flip]:
        if damage:
            damage(Path(name))
        off = np.max(np.abs(load[name](name) - predictions)) > 0.1
        print(f"{name:17} flipped: {damage is flip!s:6} off by 0.1: {off}")
# --8<-- [end:flip]

# --8<-- [start:flip_value]
loaded = keras.saving.load_model("model.h5")
for net in [model, loaded]:
    moving_variance = net.get_layer("bn").moving_variance.numpy()
    print("below 1e-30:", moving_variance < 1e-30)
# --8<-- [end:flip_value]

# --8<-- [start:flip_detected]
shutil.copy(sound / "model.keras", "model.keras")
for damage in [Path.exists, flip]:
    damage(Path("model.keras"))
    try:
        keras.saving.load_model("model.keras")
        print("loads")
    except zipfile.BadZipFile as error:
        print("BadZipFile:", error)
# --8<-- [end:flip_detected]

# --8<-- [start:graph]
shutil.copytree(sound / "exported", "exported")
for damage in [Path.exists, flip]:
    damage(Path("exported/saved_model.pb"))
    answers = load_export("exported")
    accuracy = np.mean(np.argmax(answers, axis=1) == y)
    print(f"{damage.__name__:7} accuracy above 0.9: {accuracy > 0.9}", end=", ")
    print(f"above 0.6: {accuracy > 0.6}")
# --8<-- [end:graph]

# --8<-- [start:fingerprint]
fingerprint = Path("exported/fingerprint.pb")
fingerprint.unlink()
equal = np.array_equal(load_export("exported"), answers)
print(f"is there: {fingerprint.exists()}, equal: {equal}")
# --8<-- [end:fingerprint]

# --8<-- [start:assets]
Path("words.txt").write_text("a\nb\nc\nd\n")
lookup = keras.layers.StringLookup(
    vocabulary="words.txt", output_mode="one_hot"
)
keras.Sequential([keras.Input(shape=(1,), dtype="string"), lookup]).export(
    "words", verbose=False
)

for share in [1, 0.5]:
    cut(Path("words/assets/words.txt"), share)
    served = tf.saved_model.load("words")
    columns = np.argmax(served.serve(tf.constant([["b"], ["d"]])), axis=1)
    print(f"share {share}: columns of b and d {columns}")
# --8<-- [end:assets]

# --8<-- [start:swap]
shutil.copy(sound / "model.keras", "model.keras")
bn = model.get_layer("bn")
for part_missing in [None, False]:
    if part_missing is not None:
        edit_archive("model.keras", part_missing)
    loaded = keras.saving.load_model("model.keras").get_layer("bn")
    for name in ["moving_mean", "moving_variance"]:
        if np.array_equal(loaded.moving_mean, getattr(bn, name)):
            print("moving_mean holds", name)
# --8<-- [end:swap]

# --8<-- [start:not_found]
hdf5 = (sound / "model.h5").read_bytes()
archive = (sound / "model.keras").read_bytes()
pointer = b"version https://git-lfs.github.com/spec/v1\n"
for name, data in {
    "cut.keras": archive[: len(archive) // 2],
    "hdf5.keras": hdf5,
    "pointer.keras": pointer,
    "empty.keras": b"",
}.items():
    Path(name).write_bytes(data)
    try:
        keras.saving.load_model(name)
    except ValueError as error:
        print("ValueError:", str(error).partition(". ")[0])
# --8<-- [end:not_found]


# --8<-- [start:first_bytes]
def describe(file):
    first = Path(file).read_bytes()[:8]
    if first.startswith(b"PK"):
        return "zip archive" if zipfile.is_zipfile(file) else "zip, incomplete"
    if first == b"\x89HDF\r\n\x1a\n":
        return "HDF5"
    return f"something else: {first}"


for file in sorted([*Path(".").glob("*.keras"), *sound.glob("model.*")]):
    print(f"{file.as_posix():24} {describe(file)}")
# --8<-- [end:first_bytes]

# --8<-- [start:rename]
shutil.copy("hdf5.keras", "renamed.h5")
np.testing.assert_array_equal(load_model("renamed.h5"), predictions)
print("predictions equal")
# --8<-- [end:rename]

# --8<-- [start:messages]
import re

for case in [
    ("model.weights.h5", cut),
    ("model.weights.h5", edit_hdf5, True),
    ("model.weights.json", Path.unlink),
    ("model.npz", cut),
    ("model.npz", flip),
    ("exported", cut),
    ("checkpoint", flip),
    ("checkpoint", Path.unlink),
]:
    file = damaged(*case)
    try:
        load[case[0]](file)
    except Exception as error:
        # One line, without sizes and sums, which are others for each file.
        text = re.split(r": eof|, errno|: stored", str(error))[0]
        text = re.split(r"}} |\n\n", text)[1 if "\n\n" in text else -1]
        print(f"{case[0]}\n    {type(error).__name__}: {text}")
# --8<-- [end:messages]


# --8<-- [start:use_sums]
write_sums("sound")
print(damaged_files("sound"))
# --8<-- [end:use_sums]

# --8<-- [start:find]
shutil.rmtree("damaged")
shutil.copytree("sound", "damaged")
print(damaged_files("damaged"))

flip(Path("damaged/model.weights.h5"))
flip(Path("damaged/exported/saved_model.pb"))
edit_archive("damaged/model.keras", part_missing=False)
Path("damaged/model_00001.weights.h5").unlink()
shutil.copy("sound/model_00000.weights.h5", "damaged/old_00000.weights.h5")
print(*damaged_files("damaged"), sep="\n")
# --8<-- [end:find]

# --8<-- [start:expect]
np.savez("expected.npz", x=x, predictions=predictions)
# --8<-- [end:expect]

# --8<-- [start:reload]
import keras
import numpy as np

assert not damaged_files("sound")
model = keras.saving.load_model("sound/model.keras")

expected = np.load("expected.npz")
np.testing.assert_array_equal(
    model(expected["x"], training=False), expected["predictions"]
)
print("the file is sound, the predictions are equal")
# --8<-- [end:reload]

# --8<-- [start:too_late]
for folder in ["sound", "damaged"]:
    write_sums(folder)
    loaded = load_weights(f"{folder}/model.weights.h5")
    equal = np.array_equal(loaded, predictions)
    print(folder, damaged_files(folder), "predictions equal:", equal)
# --8<-- [end:too_late]
