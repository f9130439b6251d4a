# --8<-- [start:model]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(256, 4)).astype("float32")
y = np.argmax(x[:, :3], axis=1)


def build(epsilon=0.001, momentum=0.99):
    settings = {"epsilon": epsilon, "momentum": momentum}
    return keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.Dense(8, name="dense1"),
            keras.layers.BatchNormalization(**settings, name="bn1"),
            keras.layers.Dense(8, name="dense2"),
            keras.layers.BatchNormalization(**settings, name="bn2"),
            keras.layers.ReLU(),
            keras.layers.Dense(3, activation="softmax", name="dense3"),
        ]
    )


model = build()
model.compile(
    optimizer=keras.optimizers.SGD(0.1),
    loss="sparse_categorical_crossentropy",
)
model.fit(x, y, epochs=10, verbose=0)
# --8<-- [end:model]

# --8<-- [start:save]
from bn_tools import compare, write_record

write_record("model.npz", model, x[:32])
model.save("model.keras")
# --8<-- [end:save]

# --8<-- [start:load]
model.fit(x, y, verbose=0)  # the model in memory goes on
print("in memory:", len(compare("model.npz", model)), "differences")

reloaded = keras.saving.load_model("model.keras")
print("loaded:   ", compare("model.npz", reloaded))
# --8<-- [end:load]

# --8<-- [start:reload]
import keras
from bn_tools import compare

loaded = keras.saving.load_model("model.keras")
print(compare("model.npz", loaded) or "nothing differs")
# --8<-- [end:reload]


# --8<-- [start:reset]
def tell(name, file, model):
    found = compare(file, model) or ["nothing differs"]
    print(name, *found, sep="\n    ")


damaged = keras.saving.load_model("model.keras")
tell("loaded", "model.npz", damaged)

damaged.get_layer("bn1").moving_mean.assign(np.zeros(8))
damaged.get_layer("bn1").moving_variance.assign(np.ones(8))
tell("reset", "model.npz", damaged)
# --8<-- [end:reset]

# --8<-- [start:epsilon]
for settings in [{}, {"epsilon": 0.1}, {"momentum": 0.5}]:
    changed = build(**settings)
    changed.load_weights("model.keras")
    tell(settings, "model.npz", changed)
# --8<-- [end:epsilon]

# --8<-- [start:kinds]
inputs = {
    "tokens": keras.Input((9,), dtype="int32", name="tokens"),
    "row": keras.Input((4,), name="row"),
}
h = keras.layers.Embedding(50, 8, mask_zero=True)(inputs["tokens"])
h = keras.layers.BatchNormalization(name="bn_tokens")(h)
h = keras.layers.GRU(8)(h)
h = keras.layers.Concatenate()([h, keras.layers.Dense(8)(inputs["row"])])
h = keras.layers.BatchNormalization(name="bn_both")(h)
outputs = {
    "kind": keras.layers.Dense(3, activation="softmax", name="kind")(h),
    "size": keras.layers.Dense(1, name="size")(h),
}
two = keras.Model(inputs, outputs)

tokens = np.random.default_rng(0).integers(0, 50, size=(32, 9))
rows = {"tokens": tokens, "row": x[:32]}
two(rows, training=True)
write_record("two.npz", two, rows)
two.save("two.keras")

loaded = keras.saving.load_model("two.keras")
tell("loaded", "two.npz", loaded)
loaded.get_layer("size").bias.assign([1])
tell("the second output changed", "two.npz", loaded)
# --8<-- [end:kinds]

# --8<-- [start:test_file]
from pathlib import Path

Path("test_model.py").write_text("""
import keras
from bn_tools import compare


def test_the_saved_model_computes_what_the_trained_one_did():
    model = keras.saving.load_model("model.keras")
    found = compare("model.npz", model)
    assert not found, ", ".join(found)
""")
# --8<-- [end:test_file]


# --8<-- [start:run_test]
import contextlib
import io

import pytest


def run_test():
    report = io.StringIO()
    with contextlib.redirect_stdout(report):
        pytest.main(["-q", "--capture=no", "test_model.py"])
    lines = report.getvalue().splitlines()
    errors = [line for line in lines if "AssertionError: " in line][:1]
    for line in errors:
        print(*line.split(": ", 1)[1].split(", "), sep="\n")
    print(lines[-1][:8])


run_test()
# --8<-- [end:run_test]

# --8<-- [start:fail]
damaged = keras.saving.load_model("model.keras")
damaged.get_layer("bn1").moving_variance.assign(np.ones(8))
damaged.save("model.keras")
run_test()
# --8<-- [end:fail]
