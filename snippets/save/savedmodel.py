# --8<-- [start:model]
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(1000, 8)).astype("float32")
y = x[:, :1] - x[:, 1:2]

model = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.Dense(16),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.ReLU(),
        keras.layers.Dense(1),
    ]
)
model.compile(optimizer=keras.optimizers.SGD(0.01), loss="mse")
model.fit(x, y, epochs=5, verbose=0)
# --8<-- [end:model]

# --8<-- [start:export]
model.export("exported", verbose=False)
# --8<-- [end:export]

# --8<-- [start:export_2]
import numpy as np
import tensorflow as tf
from tensorflow import keras

keras.utils.set_random_seed(0)
rows = np.random.normal(5, 3, size=(64, 8)).astype("float32")
old = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.BatchNormalization(name="bn"),
    ]
)
old.compile("sgd", "mse")
old.fit(rows, rows, epochs=5, verbose=0)
keras.utils.disable_interactive_logging()
old.export("exported_2")

again = tf.saved_model.load("exported_2")
for training in False, True:
    outputs = old(rows, training=training)
    close = np.allclose(again.serve(rows), outputs, rtol=1e-4, atol=1e-4)
    print(f"served as with training={training}: {close}")
# --8<-- [end:export_2]

# --8<-- [start:load]
served = tf.saved_model.load("exported")
predictions = served.serve(x)
# --8<-- [end:load]

# --8<-- [start:prove]
bn = model.get_layer("bn")
mean = bn.moving_mean.numpy()
for name, array in {"as saved": mean, "another mean": mean + 1}.items():
    bn.moving_mean.assign(array)
    expected = model(x, training=False)
    equal = np.allclose(predictions, expected, rtol=1e-5, atol=1e-5)
    print(f"{name:12} equal within 1e-5: {equal}")
bn.moving_mean.assign(mean)
# --8<-- [end:prove]


# --8<-- [start:variables]
def is_in(array, variables):
    return any(np.array_equal(array, variable) for variable in variables)


print(len(served.variables), "variables")
layer = model.get_layer("bn")
starts = {"gamma": 1, "beta": 0, "moving_mean": 0, "moving_variance": 1}
for name, start in starts.items():
    array = getattr(layer, name).numpy()
    print(
        f"{name:16} learned: {not np.all(array == start)} "
        f" trainable: {is_in(array, served.trainable_variables)!s:5} "
        f" non-trainable: {is_in(array, served.non_trainable_variables)}"
    )
# --8<-- [end:variables]

# --8<-- [start:expect]
np.savez(
    "expected.npz",
    *model.get_weights(),
    x=x,
    predictions=model(x, training=False),
)
# --8<-- [end:expect]

# --8<-- [start:reload]
import numpy as np
import tensorflow as tf

loaded = tf.saved_model.load("exported")
expected = np.load("expected.npz")

arrays = [name for name in expected if name.startswith("arr_")]
for name in arrays:
    assert any(np.array_equal(expected[name], v) for v in loaded.variables)
for rows in [slice(None), slice(0, 1)]:
    np.testing.assert_allclose(
        loaded.serve(expected["x"][rows]),
        expected["predictions"][rows],
        rtol=1e-5,
        atol=1e-5,
    )
print(len(arrays), "arrays equal, predictions equal within 1e-5")
# --8<-- [end:reload]


# --8<-- [start:still]
def moves(served, rows):
    before = [v.numpy() for v in served.non_trainable_variables]
    for _ in range(10):
        served.serve(rows)
    after = [v.numpy() for v in served.non_trainable_variables]
    return not all(map(np.array_equal, before, after))


print("statistics moved:", moves(served, x + 10))
# --8<-- [end:still]

# --8<-- [start:server]
model.export("models/score/1", verbose=False)  # a number per version

served = tf.saved_model.load("models/score/1")
signature = served.signatures["serving_default"]
for name, spec in signature.structured_input_signature[1].items():
    print(f"input {name}: {spec.dtype.name}, {spec.shape}")
for name, spec in signature.structured_outputs.items():
    print(f"output {name}: {spec.dtype.name}, {spec.shape}")
# --8<-- [end:server]

# --8<-- [start:names]
rows = [tf.TensorSpec((None, 8), "float32", name="rows")]
archive = keras.export.ExportArchive()
archive.track(model)
archive.add_endpoint(
    "serve",
    lambda rows: {"score": model(rows, training=False)},
    input_signature=rows,
)
archive.write_out("models/score/2", verbose=False)

served = tf.saved_model.load("models/score/2")
signature = served.signatures["serving_default"]
print(list(signature.structured_input_signature[1]), "to", end=" ")
print(list(signature.structured_outputs))
# --8<-- [end:names]
