# --8<-- [start:model]
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
x = np.random.normal(5.0, 0.3, size=(512, 4)).astype("float32")
y = (x[:, :1] > x[:, 1:2]).astype("float32")


def build(epsilon=0.001):
    return keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.Dense(8),
            keras.layers.BatchNormalization(epsilon=epsilon),
            keras.layers.ReLU(),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )


def train(net, epochs, rate):
    adam = keras.optimizers.Adam(rate)
    net.compile(optimizer=adam, loss="binary_crossentropy")
    net.fit(x, y, epochs=epochs, verbose=0)
    return net


model = train(build(), epochs=100, rate=0.003)
model.save("model.keras")
model.save_weights("model.weights.h5")
# --8<-- [end:model]


# --8<-- [start:measure]
def accuracy(net, inputs, training):
    probe = keras.models.clone_model(net)  # training mode changes the copy only
    probe.set_weights(net.get_weights())
    return np.mean((probe(inputs, training=training) > 0.5) == (y > 0.5))


def measure(case, saved, loaded, inputs):
    pairs = zip(saved.get_weights(), loaded.get_weights(), strict=True)
    arrays = all(np.array_equal(before, after) for before, after in pairs)
    predictions = np.allclose(
        saved(x, training=False), loaded(x, training=False), atol=1e-5
    )
    scores = [
        accuracy(saved, x, training=False),
        accuracy(loaded, inputs, training=False),
        accuracy(loaded, inputs, training=True),
    ]
    words = ["equal" if same else "differ" for same in (arrays, predictions)]
    words += ["good" if score > 0.9 else "bad" for score in scores]
    print(f"{case:24}" + "".join(f"{word:12}" for word in words).rstrip())


# --8<-- [end:measure]

# --8<-- [start:cases]
heads = ["arrays", "predictions", "before", "after", "batch statistics"]
print(" " * 24 + "".join(f"{head:12}" for head in heads).rstrip())

loaded = keras.saving.load_model("model.keras")
measure("a good reload", model, loaded, x)

loaded = build()
tf.train.Checkpoint(model=loaded).restore(tf.train.latest_checkpoint("none"))
measure("nothing was restored", model, loaded, x)

loaded = build(epsilon=1000.0)
loaded.load_weights("model.weights.h5")
measure("other settings in code", model, loaded, x)

keras.utils.set_random_seed(0)
young = train(build(), epochs=1, rate=0.03)
young.save("young.keras")
loaded = keras.saving.load_model("young.keras")
measure("trained too few steps", young, loaded, x)

loaded = keras.saving.load_model("model.keras")
measure("other preprocessing", model, loaded, x - 5.0)
# --8<-- [end:cases]

# --8<-- [start:process]
np.savez("expected.npz", *model.get_weights(), x=x, y=y)
# --8<-- [end:process]

# --8<-- [start:reload]
import keras
import numpy as np

loaded = keras.saving.load_model("model.keras")
expected = np.load("expected.npz")

for i, array in enumerate(loaded.get_weights()):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
right = (loaded(expected["x"], training=False) > 0.5) == (expected["y"] > 0.5)
print("arrays equal; accuracy in inference mode is good:", np.mean(right) > 0.9)
# --8<-- [end:reload]

# --8<-- [start:spike]
resumed = build()
resumed.compile(
    optimizer=keras.optimizers.Adam(0.01), loss="binary_crossentropy"
)
resumed.load_weights("model.weights.h5")
print("weights only:", int(resumed.optimizer.iterations), "steps")

resumed = keras.saving.load_model("model.keras")
print("whole model:", int(resumed.optimizer.iterations), "steps")
# --8<-- [end:spike]
