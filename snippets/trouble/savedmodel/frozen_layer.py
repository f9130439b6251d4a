# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

x = np.random.normal(5, 3, size=(256, 8)).astype("float32")
model = keras.Sequential(
    [keras.Input(shape=(8,)), keras.layers.BatchNormalization()]
)
archive = keras.export.ExportArchive()
archive.track(model)
for name, training in {"serve": False, "train_call": True}.items():
    archive.add_endpoint(
        name,
        lambda x, training=training: model(x, training=training),
        input_signature=[tf.TensorSpec((None, 8), "float32")],
    )
archive.write_out("two_modes", verbose=False)


def changed(layer, before):
    pairs = zip(layer.variables, before, strict=True)
    moved = [v.trainable for v, old in pairs if not np.array_equal(v, old)]
    return f"{sum(moved)} trainable, {moved.count(False)} non-trainable"


# --8<-- [end:setup]

# --8<-- [start:see]
layer = keras.layers.TFSMLayer(
    "two_modes", call_endpoint="serve", call_training_endpoint="train_call"
)
for trainable in [True, False]:
    layer.trainable = trainable
    before = layer.get_weights()
    layer(x + 10, training=True)
    print(f"trainable={trainable!s:6} changed:", changed(layer, before))
# --8<-- [end:see]

# --8<-- [start:fix]
before = layer.get_weights()
layer(x + 20, training=False)
print("training=False    changed:", changed(layer, before))

fixed = keras.layers.TFSMLayer("two_modes", call_endpoint="serve")
before = fixed.get_weights()
fixed(x + 20, training=True)
print("one endpoint      changed:", changed(fixed, before))
# --8<-- [end:fix]

# --8<-- [start:sure]
layer.trainable = True
for name, each in {"two endpoints": layer, "one endpoint": fixed}.items():
    net = keras.Sequential([keras.Input(shape=(8,)), each])
    net.compile(optimizer=keras.optimizers.SGD(0.001), loss="mse")
    before = each.get_weights()
    net.fit(x, 2 * x, verbose=0)
    print(f"{name:13} changed by fit:", changed(each, before))
# --8<-- [end:sure]
