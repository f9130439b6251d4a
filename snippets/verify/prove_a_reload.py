# --8<-- [start:record]
import numpy as np


def write_record(file, model, x):
    np.savez(
        file,
        *model.get_weights(),
        names=["/".join(w.path.split("/")[-2:]) for w in model.weights],
        x=x,
        one=model(x[:1], training=False),
        all=model(x, training=False),
    )


# --8<-- [end:record]


# --8<-- [start:compare]
import numpy as np


def compare(file, model, atol=0):
    record, found = np.load(file), []
    x, names = record["x"], record["names"]
    for key, inputs in {"one": x[:1], "all": x}.items():
        outputs = model(inputs, training=False)
        if not np.allclose(outputs, record[key], 0, atol, equal_nan=True):
            found.append(f"predictions for {key} differ")
    arrays = model.get_weights()
    if len(arrays) != len(names):
        return [*found, f"{len(arrays)} arrays instead of {len(names)}"]
    for i, (name, now) in enumerate(zip(names, arrays)):
        was = record[f"arr_{i}"]
        problems = {
            "differs": not np.array_equal(now, was, equal_nan=True),
            "is not finite": not np.isfinite(now).all(),
            "is still 0": name.endswith("mean") and not now.any(),
            "is still 1": name.endswith("variance") and (now == 1).all(),
            "is negative": name.endswith("variance") and (now < 0).any(),
        }
        found += [f"{name} {p}" for p, there in problems.items() if there]
    return found


# --8<-- [end:compare]


# --8<-- [start:model]
import keras

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(256, 4)).astype("float32")
y = np.argmax(x[:, :3], axis=1)


def build(epsilon=0.001):
    return keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.Dense(8, name="dense1"),
            keras.layers.BatchNormalization(epsilon=epsilon, name="bn1"),
            keras.layers.Dense(8, name="dense2"),
            keras.layers.BatchNormalization(epsilon=epsilon, name="bn2"),
            keras.layers.ReLU(),
            keras.layers.Dense(3, activation="softmax", name="dense3"),
        ]
    )


model = build()
model.compile(
    optimizer=keras.optimizers.Adam(0.01),
    loss="sparse_categorical_crossentropy",
)
model.fit(x, y, epochs=20, verbose=0)
# --8<-- [end:model]

# --8<-- [start:save]
write_record("model.npz", model, x)
model.save("model.keras")
# --8<-- [end:save]

# --8<-- [start:load]
reloaded = keras.saving.load_model("model.keras")
print(compare("model.npz", reloaded))
# --8<-- [end:load]

# --8<-- [start:reload]
import keras

reloaded = keras.saving.load_model("model.keras")
print(compare("model.npz", reloaded) or "all arrays and predictions equal")
# --8<-- [end:reload]

# --8<-- [start:reset]
damaged = keras.saving.load_model("model.keras")
damaged.get_layer("bn1").moving_mean.assign(np.zeros(8))
damaged.get_layer("bn1").moving_variance.assign(np.ones(8))

print(*compare("model.npz", damaged), sep="\n")
# --8<-- [end:reset]

# --8<-- [start:swap]
damaged = keras.saving.load_model("model.keras")
bn = damaged.get_layer("bn2")
gamma, beta, mean, variance = bn.get_weights()
bn.set_weights([beta, gamma, mean, variance])

print(*compare("model.npz", damaged), sep="\n")
# --8<-- [end:swap]

# --8<-- [start:epsilon]
changed = build(epsilon=0.1)
changed.load_weights("model.keras")

print(*compare("model.npz", changed), sep="\n")
# --8<-- [end:epsilon]

# --8<-- [start:dead]
dead = keras.saving.load_model("model.keras")
dead.get_layer("bn2").gamma.assign(np.zeros(8))
write_record("dead.npz", dead, x)

dead.get_layer("bn2").moving_variance.assign(np.ones(8))
print(*compare("dead.npz", dead), sep="\n")
# --8<-- [end:dead]


# --8<-- [start:unbuilt]
import tensorflow as tf


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense1 = keras.layers.Dense(8, name="dense1")
        self.bn = keras.layers.BatchNormalization(name="bn")

    def call(self, x, training=False):
        return self.bn(self.dense1(x), training=training)


net = Net()
net(x, training=True)
write_record("net.npz", net, x)
path = tf.train.Checkpoint(model=net).save("checkpoints/net")

unbuilt = Net()
tf.train.Checkpoint(model=unbuilt).restore(path)
print(*compare("net.npz", unbuilt), sep="\n")
# --8<-- [end:unbuilt]

# --8<-- [start:unbuilt_names]
for weight in unbuilt.weights[:2]:
    restored = np.array_equal(weight, net.dense1.kernel)
    print(f"{weight.path} restored: {restored}")
# --8<-- [end:unbuilt_names]

# --8<-- [start:built]
built = Net()
built(x[:1])
tf.train.Checkpoint(model=built).restore(path)
print(compare("net.npz", built))
# --8<-- [end:built]

# --8<-- [start:not_finite]
poisoned = keras.saving.load_model("model.keras")
batch = x[:32].copy()
batch[0, 0] = np.inf
poisoned(batch, training=True)

write_record("poisoned.npz", poisoned, x)
poisoned.save("poisoned.keras")
again = keras.saving.load_model("poisoned.keras")
print(*compare("poisoned.npz", again), sep="\n")
# --8<-- [end:not_finite]

# --8<-- [start:negative]
negative = keras.saving.load_model("model.keras")
negative.get_layer("bn1").moving_variance.assign(np.full(8, -1))
write_record("negative.npz", negative, x)

print(*compare("negative.npz", negative), sep="\n")
print("predictions are NaN:", np.isnan(negative(x, training=False)).all())
# --8<-- [end:negative]

# --8<-- [start:test_file]
import inspect
from pathlib import Path

Path("prove.py").write_text(
    "import numpy as np\n\n\n"
    + inspect.getsource(write_record)
    + "\n\n"
    + inspect.getsource(compare)
)

Path("test_model.py").write_text("""
import keras
from prove import compare


def test_the_saved_model_computes_what_the_trained_one_did():
    model = keras.saving.load_model("model.keras")
    found = compare("model.npz", model, atol=1e-5)
    assert not found, ", ".join(found)
""")
# --8<-- [end:test_file]


# --8<-- [start:run_test]
import subprocess
import sys


def run_test():
    command = [sys.executable, "-m", "pytest", "-q", "test_model.py"]
    run = subprocess.run(command, capture_output=True, text=True)
    return run.stdout.splitlines()


print(run_test()[-1][:8])
# --8<-- [end:run_test]

# --8<-- [start:fail]
damaged = keras.saving.load_model("model.keras")
damaged.get_layer("bn1").moving_variance.assign(np.ones(8))
damaged.save("model.keras")

lines = run_test()
print(*[line for line in lines if line.startswith("E  ")][:1], sep="\n")
print(lines[-1][:8])
# --8<-- [end:fail]

# --8<-- [start:repair]
model.save("model.keras")
print(compare("model.npz", keras.saving.load_model("model.keras")))
# --8<-- [end:repair]

# --8<-- [start:order]
forward = np.float32(1e8) + np.float32(1) - np.float32(1e8)
backward = np.float32(1e8) - np.float32(1e8) + np.float32(1)
print(forward, backward)
# --8<-- [end:order]

# --8<-- [start:tolerance]
kernel, *others = model.get_weights()
reordered = build()
reordered.set_weights([kernel[::-1], *others])

same_function = reordered(x[:, ::-1], training=False)
predictions = model(x, training=False)
print("equal:", np.array_equal(same_function, predictions))
print("within 1e-5:", np.allclose(same_function, predictions, 0, 1e-5))
# --8<-- [end:tolerance]
