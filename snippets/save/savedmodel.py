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
model.compile(optimizer="adam", loss="mse")
model.fit(x, y, epochs=10, verbose=0)
# --8<-- [end:model]

# --8<-- [start:export]
model.export("exported", verbose=False)
# --8<-- [end:export]

# --8<-- [start:load]
served = tf.saved_model.load("exported")
predictions = served.serve(x)
# --8<-- [end:load]

# --8<-- [start:prove]
np.testing.assert_allclose(
    predictions, model(x, training=False), rtol=1e-5, atol=1e-5
)
print("predictions equal within 1e-5")
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

# --8<-- [start:no_training]
try:
    served.serve(x, training=True)
except TypeError as error:
    print("TypeError:", str(error).partition(". Received")[0])
print("has fit:", hasattr(served, "fit"))
print("has an optimizer:", hasattr(served, "optimizer"))
# --8<-- [end:no_training]

# --8<-- [start:still]
before = [v.numpy() for v in served.non_trainable_variables]
for _ in range(100):
    served.serve(x + 10)

after = [v.numpy() for v in served.non_trainable_variables]
print("statistics moved:", not np.array_equal(before, after))
# --8<-- [end:still]

# --8<-- [start:layer]
layer = keras.layers.TFSMLayer("exported", call_endpoint="serve")

np.testing.assert_allclose(
    layer(x, training=False), predictions, rtol=1e-5, atol=1e-5
)
print("predictions equal within 1e-5")
ignored = np.array_equal(layer(x, training=True), layer(x, training=False))
print("training=True is ignored:", ignored)
print("trainable:", len(layer.trainable_variables))
print("non-trainable:", len(layer.non_trainable_variables))
# --8<-- [end:layer]

# --8<-- [start:archive]
rows = [tf.TensorSpec((None, 8), "float32")]
archive = keras.export.ExportArchive()
archive.track(model)
archive.add_endpoint(
    "serve", lambda x: model(x, training=False), input_signature=rows
)
archive.add_endpoint(
    "train_call", lambda x: model(x, training=True), input_signature=rows
)
archive.write_out("two_modes", verbose=False)
# --8<-- [end:archive]


# --8<-- [start:train_call]
def trainable_layer():
    return keras.layers.TFSMLayer(
        "two_modes",
        call_endpoint="serve",
        call_training_endpoint="train_call",
    )


def changed(layer, before):
    pairs = zip(layer.variables, before, strict=True)
    moved = [v.trainable for v, old in pairs if not np.array_equal(v, old)]
    print(
        f"changed: {sum(moved)} trainable, {moved.count(False)} non-trainable"
    )


layer = trainable_layer()
before = layer.get_weights()
layer(x + 10, training=False)
changed(layer, before)
layer(x + 10, training=True)
changed(layer, before)
# --8<-- [end:train_call]


# --8<-- [start:fine_tune]
def fine_tune(layer, optimizer):
    net = keras.Sequential([keras.Input(shape=(8,)), layer])
    net.compile(optimizer=optimizer, loss="mse")
    before, loss = layer.get_weights(), net.evaluate(x, 2 * y, verbose=0)
    net.fit(x, 2 * y, epochs=5, verbose=0)
    changed(layer, before)
    print("loss halved:", net.evaluate(x, 2 * y, verbose=0) < loss / 2)
    return net


tuned = fine_tune(trainable_layer(), keras.optimizers.SGD(0.001))
# --8<-- [end:fine_tune]

# --8<-- [start:frozen]
layer = keras.layers.TFSMLayer("exported", call_endpoint="serve")
fine_tune(layer, keras.optimizers.SGD(0.001))
# --8<-- [end:frozen]

# --8<-- [start:adam]
for optimizer in [
    keras.optimizers.Adam(0.001),
    keras.optimizers.SGD(0.001, momentum=0.9),
]:
    try:
        fine_tune(trainable_layer(), optimizer)
    except ValueError as error:
        print(f"{optimizer.name}: ValueError: {str(error).partition('. ')[0]}")
# --8<-- [end:adam]

# --8<-- [start:whole]
model.save("model.keras")
whole = keras.saving.load_model("model.keras")
whole.compile(optimizer="adam", loss="mse")
whole.fit(x, 2 * y, epochs=5, verbose=0)
print("steps taken:", int(whole.optimizer.iterations))
# --8<-- [end:whole]

# --8<-- [start:keras_file]
tuned.save("tuned.keras")
try:
    keras.saving.load_model("tuned.keras")
except ValueError as error:
    print("ValueError:", str(error).partition(". ")[0])
# --8<-- [end:keras_file]

# --8<-- [start:export_again]
tuned.export("tuned", verbose=False)
served_again = tf.saved_model.load("tuned")
np.testing.assert_allclose(
    served_again.serve(x), tuned(x, training=False), rtol=1e-5, atol=1e-5
)
print("predictions equal within 1e-5")
# --8<-- [end:export_again]

# --8<-- [start:load_model]
try:
    keras.saving.load_model("exported")
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:load_model]

# --8<-- [start:training_mode]
archive = keras.export.ExportArchive()
archive.track(model)
archive.add_endpoint(
    "serve", lambda x: model(x, training=True), input_signature=rows
)
archive.write_out("training_mode", verbose=False)
# --8<-- [end:training_mode]

# --8<-- [start:neighbors]
wrong = tf.saved_model.load("training_mode")
in_16, in_8 = wrong.serve(x[:16]), wrong.serve(x[:8])
print(
    "a row differs by more than 0.1 between a batch of 16 and of 8:",
    np.max(np.abs(in_16[:8] - in_8)) > 0.1,
)

for name, loaded in {"training mode": wrong, "inference mode": served}.items():
    alone = [loaded.serve(x[i : i + 1]) for i in range(8)]
    print(f"{name:14}  rows served alone get one answer: {np.ptp(alone) < 0.1}")
# --8<-- [end:neighbors]


# --8<-- [start:alone]
def depends_on_the_batch(folder):
    served = tf.saved_model.load(folder)
    in_batch = served.serve(x[:16])[:1]
    return not np.allclose(in_batch, served.serve(x[:1]), rtol=1e-5, atol=1e-5)


print("training_mode:", depends_on_the_batch("training_mode"))
print("exported:", depends_on_the_batch("exported"))
# --8<-- [end:alone]

# --8<-- [start:one_expression]
try:
    tf.saved_model.load("exported").serve(x)
except AssertionError as error:
    print("AssertionError:", str(error).partition(". ")[0])
# --8<-- [end:one_expression]

# --8<-- [start:keep]
served = tf.saved_model.load("exported")
print(served.serve(x).shape)
# --8<-- [end:keep]

# --8<-- [start:plain]
tf.saved_model.save(model, "plain")
plain = tf.saved_model.load("plain")
print("has serve:", hasattr(plain, "serve"))
print("has variables:", hasattr(plain, "variables"))
try:
    plain(x)
except TypeError as error:
    print("TypeError:", error)
# --8<-- [end:plain]

# --8<-- [start:signature]
signature = plain.signatures["serving_default"]
outputs = signature(inputs=tf.constant(x))
np.testing.assert_allclose(
    outputs["output_0"], predictions, rtol=1e-5, atol=1e-5
)
print("signature:", list(plain.signatures), "output:", list(outputs))
arrays = [is_in(array, signature.variables) for array in model.get_weights()]
print("arrays equal:", sum(arrays), "of", len(arrays))
# --8<-- [end:signature]
