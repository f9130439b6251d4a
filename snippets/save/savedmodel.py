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

# --8<-- [start:no_training]
try:
    served.serve(x, training=True)
except TypeError as error:
    what, why = str(error).split("`")[:2]
    print(f"TypeError: {what.strip()}\n    {why}")
print("has fit:", hasattr(served, "fit"))
print("has an optimizer:", hasattr(served, "optimizer"))
# --8<-- [end:no_training]


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


# --8<-- [start:requests]
def ask(name, **inputs):
    try:
        print(f"{name:24}", signature(**inputs)["output_0"].shape)
    except (TypeError, tf.errors.InvalidArgumentError) as error:
        print(f"{name:24}", type(error).__name__)


row = tf.constant(x[:1])
ask("one row, named", keras_tensor=row)
ask("under another name", rows=row)
ask("without its batch axis", keras_tensor=row[0])
ask("as float64", keras_tensor=tf.cast(row, "float64"))
# --8<-- [end:requests]

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

# --8<-- [start:load_model]
try:
    keras.saving.load_model("exported")
except ValueError as error:
    print("ValueError:", *str(error).split(". "), sep="\n    ")
# --8<-- [end:load_model]


# --8<-- [start:training_mode]
def export_in(mode, net, folder, shape):
    archive = keras.export.ExportArchive()
    archive.track(net)
    archive.add_endpoint(
        "serve",
        lambda x: net(x, training=mode == "training"),
        input_signature=[tf.TensorSpec((None, *shape), "float32")],
    )
    archive.write_out(folder, verbose=False)


for mode in ["inference", "training"]:
    export_in(mode, model, mode, (8,))
    served = tf.saved_model.load(mode)
    in_16, in_8 = served.serve(x[:16]), served.serve(x[:8])
    differs = np.abs(in_16[:8] - in_8).max() > 0.1
    print(f"{mode:10} depends on the batch: {differs!s:6}", end=" ")
    print(f"moves its statistics: {moves(served, x + 10)}")
# --8<-- [end:training_mode]


# --8<-- [start:alone]
def depends_on_the_batch(folder, x):
    """Serve the first of `x` (an array, or a dict of arrays by name, 16 or more
    rows that differ) alone and among others. Run it on a copy of the server."""
    signature = tf.saved_model.load(folder).signatures["serving_default"]
    specs = signature.structured_input_signature[1]
    if not isinstance(x, dict):
        x = {name: x for name in specs}
    if any(len(rows) < 16 for rows in x.values()):
        raise ValueError("16 rows are needed")

    def serve(rows):
        inputs = {
            name: tf.cast(x[name][:rows], specs[name].dtype) for name in x
        }
        return signature(**inputs)

    alone, among = serve(1), serve(16)
    return not all(  # NaN is not equal either
        np.abs(among[name][:1] - alone[name]).max()
        <= 1e-3 * np.abs(among[name]).max()
        for name in alone
    )


images = np.random.normal(size=(16, 8, 8, 3)).astype("float32")
convolutions = keras.Sequential(
    [
        keras.Input(shape=(8, 8, 3)),
        keras.layers.Conv2D(8, 3),
        keras.layers.BatchNormalization(),
        keras.layers.GlobalMaxPooling2D(),
    ]
)
for mode in ["inference", "training"]:
    export_in(mode, convolutions, f"images_{mode}", (8, 8, 3))
    rows = depends_on_the_batch(mode, x)
    print(f"{mode:10}", rows, depends_on_the_batch(f"images_{mode}", images))
# --8<-- [end:alone]


# --8<-- [start:by_default]
for default in [False, None, True]:

    class Scaled(keras.Model):
        def __init__(self):
            super().__init__()
            self.bn = keras.layers.BatchNormalization()

        def call(self, x, training=default):
            return self.bn(x, training=training)

    scaled = Scaled()
    scaled(x, training=True)
    scaled.export("scaled", verbose=False)
    served = tf.saved_model.load("scaled")
    expected = scaled.predict(x, verbose=0)
    equal = np.allclose(served.serve(x), expected, rtol=1e-5, atol=1e-5)
    print(f"training={default!s:5}  equal to predict: {equal}")
# --8<-- [end:by_default]


# --8<-- [start:predict_step]
class Odds(keras.Model):
    def __init__(self, base):
        super().__init__()
        self.base = base

    def call(self, x, training=False):
        return self.base(x, training=training)

    def predict_step(self, data):
        rows, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return keras.ops.sigmoid(self(rows, training=False))


odds = Odds(model)
expected = odds.predict(x, verbose=0)

odds.export("odds", verbose=False)
own = keras.export.ExportArchive()
own.track(odds)
own.add_endpoint(
    "serve",
    lambda x: odds.predict_step(x),
    input_signature=[tf.TensorSpec((None, 8), "float32")],
)
own.write_out("own", verbose=False)

for folder in ["odds", "own"]:
    served = tf.saved_model.load(folder)
    equal = np.allclose(served.serve(x), expected, rtol=1e-5, atol=1e-5)
    print(f"{folder:5} equal to predict: {equal}")
# --8<-- [end:predict_step]

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

before = layer.get_weights()
layer.trainable = False
layer(x + 20, training=True)
changed(layer, before)
# --8<-- [end:train_call]


# --8<-- [start:fine_tune]
def fine_tune(layer, optimizer):
    net = keras.Sequential([keras.Input(shape=(8,)), layer])
    net.compile(optimizer=optimizer, loss="mse")

    def loss():
        return np.mean((net(x, training=False) - 2 * y) ** 2)

    before, start = layer.get_weights(), loss()
    net.fit(x, 2 * y, epochs=5, verbose=0)
    changed(layer, before)
    print("loss halved:", loss() < start / 2)
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
print("steps taken:", int(whole.optimizer.iterations))
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
