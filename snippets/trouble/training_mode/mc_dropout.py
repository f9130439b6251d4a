# --8<-- [start:setup]
import keras
import numpy as np
from bn_tools import batch_norms

keras.utils.set_random_seed(0)
x = np.random.default_rng(0).normal(5, 3, (100, 4)).astype("float32")
model = keras.Sequential(
    [
        keras.Input(shape=(4,)),
        keras.layers.Dense(8),
        keras.layers.BatchNormalization(momentum=0.9, name="bn"),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(1),
    ]
)
model.compile(optimizer="sgd", loss="mse")
model.fit(x, x[:, :1], epochs=2, verbose=0)
rows = x[:10] + 20


def report(name, samples):
    expected = model.predict(rows, verbose=0)
    before = [v.numpy() for v in batch_norms(model)[0].variables]
    outputs = samples(model, rows)
    after = [v.numpy() for v in batch_norms(model)[0].variables]
    near = np.allclose(outputs.mean(0), expected, atol=6)
    print(f"{name:14} varies: {outputs.std(0).min() > 1e-3}", end="  ")
    print(f"mean near predict: {near}", end="  ")
    print(f"statistics kept: {all(map(np.array_equal, before, after))}")


# --8<-- [end:setup]


# --8<-- [start:see]
def training_true(model, rows, n=100):
    return np.stack([model(rows, training=True) for _ in range(n)])


def predict(model, rows, n=3):
    return np.stack([model.predict(rows, verbose=0) for _ in range(n)])


model.save("model.keras")
report("training=True", training_true)
model = keras.saving.load_model("model.keras")
report("predict", predict)
# --8<-- [end:see]


# --8<-- [start:fix]
def mc_predict(model, rows, n=100):
    """Return n predictions with Dropout on and all statistics fixed."""
    layers = batch_norms(model)
    flags = [layer.trainable for layer in layers]
    arrays = model.get_weights()
    counts = [v.numpy() for v in model.variables]
    try:
        for layer in layers:
            layer.trainable = False
        samples = [model(rows, training=True) for _ in range(n)]
    finally:
        for layer, flag in zip(layers, flags, strict=True):
            layer.trainable = flag
        after = model.get_weights()
        model.set_weights(arrays)
    if not all(map(np.array_equal, arrays, after)):
        raise ValueError("a layer other than BatchNormalization changes")
    # Several outputs are stacked each by itself.
    found = keras.tree.map_structure(lambda *each: np.stack(each), *samples)
    equal = all((one == one[:1]).all() for one in keras.tree.flatten(found))
    # Dropout counts its masks in model.variables.
    if equal and all(map(np.array_equal, counts, model.variables)):
        raise ValueError("no layer draws: no Dropout, or with training=False")
    return found


report("mc_predict", mc_predict)
# --8<-- [end:fix]

# --8<-- [start:sure]
print("flags:", [layer.trainable for layer in batch_norms(model)])
fresh = keras.saving.load_model("model.keras")
np.testing.assert_array_equal(model(rows), fresh(rows))
# --8<-- [end:sure]

# --8<-- [start:export]
import tensorflow as tf

for layer in batch_norms(model):
    layer.trainable = False
archive = keras.export.ExportArchive()
archive.track(model)
signature = [tf.TensorSpec((None, 4))]
archive.add_endpoint("sample", lambda x: model(x, training=True), signature)
archive.write_out("sampler", verbose=False)
for layer in batch_norms(model):
    layer.trainable = True
served = tf.saved_model.load("sampler")
report(
    "served",
    lambda _, rows: np.stack([served.sample(rows) for _ in range(100)]),
)
# --8<-- [end:export]
