# --8<-- [start:left_over]
import keras
import numpy as np
import tensorflow as tf


def build():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input(shape=(2,)),
            keras.layers.BatchNormalization(name="bn"),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(5, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.SGD(0.3),
        loss="sparse_categorical_crossentropy",
    )
    return model


def report(case, model):
    share = np.mean(model.get_layer("bn").moving_variance / x.var(axis=0))
    accuracy = np.mean(np.argmax(model(x, training=False), axis=1) == y)
    print(f"{case:12} variance {share:.1f} of the true one", end=", ")
    print("accuracy above 0.9:", accuracy > 0.9)


x = np.random.default_rng(0).normal(5, 3, size=(65, 2)).astype("float32")
y = np.digitize(x[:, 0], [2, 4, 6, 8])  # which of five intervals
rows = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(65, seed=0)
# --8<-- [end:left_over]

# --8<-- [start:drop]
full = rows.batch(64, drop_remainder=True)
dropped, kept = build(), build()
dropped.fit(full.repeat(300), shuffle=False, verbose=0)
kept.fit(rows.batch(64).repeat(300), shuffle=False, verbose=0)
report("dropped", dropped)
report("kept", kept)
# --8<-- [end:drop]

# --8<-- [start:save]
kept.save("left-over.keras")
np.savez("data.npz", x=x, y=y, predictions=kept(x, training=False))
# --8<-- [end:save]

# --8<-- [start:repair]
from bn_tools import estimate_again

model = keras.saving.load_model("left-over.keras")
report("loaded", model)
estimate_again(model, [x])  # a list of batches, or a dataset
report("repaired", model)
model.save("repaired.keras")
# --8<-- [end:repair]

# --8<-- [start:reload]
import keras
import numpy as np

data = np.load("data.npz")
for file in ["left-over.keras", "repaired.keras"]:
    loaded = keras.saving.load_model(file)
    answers = np.asarray(loaded(data["x"], training=False))
    right = np.mean(np.argmax(answers, axis=1) == data["y"])
    same = np.array_equal(answers, data["predictions"])
    print(f"{file:15} as it was: {same!s:5}  above 0.9: {right > 0.9}")
# --8<-- [end:reload]

# --8<-- [start:group_state]
for layer in [
    keras.layers.BatchNormalization(),
    keras.layers.GroupNormalization(groups=8),
    keras.layers.LayerNormalization(),
]:
    layer.build((None, 64))
    names = [array.name for array in layer.weights]
    print(f"{type(layer).__name__:18}", *names)
# --8<-- [end:group_state]
