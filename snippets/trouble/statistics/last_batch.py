# --8<-- [start:setup]
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
# --8<-- [end:setup]

# --8<-- [start:see]
model = build()
model.fit(rows.batch(64).repeat(300), shuffle=False, verbose=0)
report("one row last", model)
# --8<-- [end:see]

# --8<-- [start:share]
layer = keras.layers.BatchNormalization()
layer.build((None, 100))
start = layer.get_weights()
call = tf.function(layer)
print("full batches  last one kept  dropped")
for full in [1, 10, 100]:
    shares = []
    for last in [1, 0]:
        layer.set_weights(start)
        random = np.random.default_rng(0)
        for _ in range(440 // (full + 1)):
            for n in [64] * full + [1] * last:
                batch = random.normal(5, 1, size=(n, 100)).astype("float32")
                call(batch, training=True)
        shares.append(np.mean(layer.moving_variance))
    print(f"{full:12}  {shares[0]:13.2f}  {shares[1]:7.2f}")
# --8<-- [end:share]

# --8<-- [start:fix]
from bn_tools import estimate_again

estimate_again(model, [x])  # a list of batches, or a dataset
report("estimated", model)
# --8<-- [end:fix]

# --8<-- [start:sure]
full = rows.batch(64, drop_remainder=True)
model = build()
model.fit(full.repeat(300), shuffle=False, verbose=0)
report("dropped", model)
# --8<-- [end:sure]

# --8<-- [start:none]
import warnings

few = tf.data.Dataset.from_tensor_slices((x, y)).take(63)
for batches in [few.batch(64), few.batch(64, drop_remainder=True)]:
    model = build()
    before = model.get_weights()
    with warnings.catch_warnings(record=True, action="always") as caught:
        model.fit(batches, shuffle=False, verbose=0)
    equal = map(np.array_equal, before, model.get_weights())
    print("arrays that stayed:", sum(equal), "of", len(before))
    print("step count:", int(model.optimizer.iterations.numpy()))
    for said in {str(w.message) for w in caught if "ran out" in str(w.message)}:
        print("UserWarning:", said.partition(".")[0])
# --8<-- [end:none]
