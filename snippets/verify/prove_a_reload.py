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
    optimizer=keras.optimizers.Adam(0.01),
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

# --8<-- [start:swap]
damaged = keras.saving.load_model("model.keras")
bn = damaged.get_layer("bn2")
gamma, beta, mean, variance = bn.get_weights()
bn.set_weights([gamma, beta, mean, variance])
tell("as saved", "model.npz", damaged)

bn.set_weights([beta, gamma, mean, variance])
tell("swapped", "model.npz", damaged)
# --8<-- [end:swap]

# --8<-- [start:epsilon]
for settings in [{}, {"epsilon": 0.1}, {"momentum": 0.5}]:
    changed = build(**settings)
    changed.load_weights("model.keras")
    tell(settings, "model.npz", changed)
# --8<-- [end:epsilon]


# --8<-- [start:thawed]
@keras.saving.register_keras_serializable()
class Block(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(8, name="dense")
        self.bn = keras.layers.BatchNormalization(name="bn")

    def call(self, x, training=False):
        return self.bn(self.dense(x), training=training)


def build_block():
    return keras.Sequential(
        [keras.Input(shape=(4,)), Block(), keras.layers.Dense(3)]
    )


def freeze(net):
    net.layers[0].bn.trainable = False
    net.compile(
        optimizer=keras.optimizers.Adam(0.01),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        run_eagerly=True,  # faster for a few steps
    )


frozen = build_block()
frozen(x, training=True)
freeze(frozen)
frozen.fit(x, y, verbose=0)
write_record("frozen.npz", frozen, x[:32])
frozen.save("frozen.keras")
frozen.save_weights("frozen.weights.h5")

tell("load_model", "frozen.npz", keras.saving.load_model("frozen.keras"))

rebuilt = build_block()
freeze(rebuilt)
rebuilt.optimizer.build(rebuilt.trainable_variables)
rebuilt.load_weights("frozen.weights.h5")
tell("code and load_weights", "frozen.npz", rebuilt)

rebuilt.optimizer.learning_rate = 0.1
tell("another rate", "frozen.npz", rebuilt)
# --8<-- [end:thawed]

# --8<-- [start:normalization]
normalization = keras.layers.Normalization()
normalization.adapt(x)
net = keras.Sequential([keras.Input(shape=(4,)), normalization, reloaded])
write_record("net.npz", net, x[:32])

copy = keras.models.clone_model(net)
copy.set_weights(net.get_weights())
tell("set_weights", "net.npz", copy)

copy.layers[0].finalize_state()
tell("finalize_state", "net.npz", copy)
# --8<-- [end:normalization]

# --8<-- [start:dead]
for gamma in [1, 0]:
    net = keras.saving.load_model("model.keras")
    net.get_layer("bn2").gamma.assign(np.full(8, gamma))
    write_record("gamma.npz", net, x[:32])
    net.get_layer("bn2").moving_variance.assign(np.full(8, 9))
    tell(f"gamma {gamma}", "gamma.npz", net)
# --8<-- [end:dead]


# --8<-- [start:unbuilt]
import tensorflow as tf


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(8, name="dense")
        self.bn = keras.layers.BatchNormalization(name="bn")

    def call(self, x, training=False):
        return self.bn(self.dense(x), training=training)


net = Net()
net(x, training=True)
write_record("net.npz", net, x[:32])
path = tf.train.Checkpoint(model=net).save("checkpoints/net")

for built in [False, True]:
    restored = Net()
    if built:
        restored(x[:1])
    tf.train.Checkpoint(model=restored).restore(path)
    restored(x[:1])
    tell(f"built first: {built}", "net.npz", restored)
# --8<-- [end:unbuilt]

# --8<-- [start:not_finite]
for value in [100.0, np.inf]:
    broken = keras.saving.load_model("model.keras")
    batch = x[:32].copy()
    batch[0, 0] = value
    broken(batch, training=True)
    write_record("broken.npz", broken, x[:32])
    broken.save("broken.keras")
    loaded = keras.saving.load_model("broken.keras")
    tell(f"a batch with {value}", "broken.npz", loaded)
# --8<-- [end:not_finite]

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


# --8<-- [start:random]
class Sample(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed = keras.random.SeedGenerator(0)

    def call(self, x):
        noise = keras.random.normal(keras.ops.shape(x), seed=self.seed)
        return x + noise


draws = keras.Sequential([keras.Input(shape=(4,)), reloaded, Sample()])
state = draws.layers[-1].seed.state
start = state.numpy()
write_record("draws.npz", draws, x[:32])
tell("the same model", "draws.npz", draws)

draws(x[:1])
tell("one call later", "draws.npz", draws)

state.assign(start)
tell("drawing from the same state", "draws.npz", draws)
# --8<-- [end:random]

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
for atol in [1e-9, 1e-5]:
    close = np.allclose(same_function, predictions, 0, atol)
    print(f"within {atol}: {close}")
# --8<-- [end:tolerance]


# --8<-- [start:small]
def scaled(scale):
    return keras.Sequential(
        [keras.Input(shape=(4,)), model, keras.layers.Rescaling(scale)]
    )


write_record("small.npz", scaled(1e-6), x[:32])
for scale, atol in [(1e-6, 1e-9), (2e-6, 1e-9), (2e-6, 1e-5)]:
    found = compare("small.npz", scaled(scale), atol)
    print(f"outputs times {scale}, atol {atol}: {len(found)} problems")
# --8<-- [end:small]
