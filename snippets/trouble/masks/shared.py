# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
branches = [
    np.random.normal(0, 1, size=(64, 2)).astype("float32"),
    np.random.normal(10, 1, size=(64, 2)).astype("float32"),
]
inputs = [keras.Input(shape=(2,)), keras.Input(shape=(2,))]


def gaps(net):
    call = tf.function(net)
    for _ in range(100):
        in_training_mode = call(branches, training=True)
    in_inference_mode = call(branches, training=False)
    return [
        bool(np.mean(np.abs(a - b)) > 0.5)
        for a, b in zip(in_training_mode, in_inference_mode)
    ]


# --8<-- [end:setup]

# --8<-- [start:see]
layer = keras.layers.BatchNormalization(momentum=0.9)
shared = keras.Model(inputs, [layer(h) for h in inputs])
print("arrays:", len(shared.weights))
print("modes differ:", gaps(shared))
print("moving_mean:", layer.moving_mean.numpy().round())
# --8<-- [end:see]

# --8<-- [start:finite]
layer = keras.layers.BatchNormalization()
distance = keras.layers.Subtract()([layer(h) for h in inputs])
twins = keras.Model(inputs, keras.layers.Dense(1)(distance))
twins.compile("sgd", "mse")
one_nan = branches[1].copy()
one_nan[0, 0] = np.nan
for name, other in [("1e8 as large", branches[1] * 1e8), ("NaN", one_nan)]:
    twins.fit([branches[0], other], np.zeros(64), epochs=5, verbose=0)
    finite = [bool(np.isfinite(w).all()) for w in layer.get_weights()[2:]]
    print(f"{name}: moving mean and variance finite: {finite}")
# --8<-- [end:finite]

# --8<-- [start:fix]
separate = keras.Model(
    inputs,
    [keras.layers.BatchNormalization(momentum=0.9)(h) for h in inputs],
)
print("arrays:", len(separate.weights))
# --8<-- [end:fix]

# --8<-- [start:joined]
h = keras.layers.Concatenate(axis=0)(inputs)
h = keras.layers.BatchNormalization(momentum=0.9)(h)
joined = keras.Model(inputs, keras.ops.split(h, 2, axis=0))
print("arrays:", len(joined.weights))
# --8<-- [end:joined]

# --8<-- [start:sure]
print("separate: modes differ:", gaps(separate))
print("joined:   modes differ:", gaps(joined))
# --8<-- [end:sure]
