# --8<-- [start:setup]
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
model.export("exported", verbose=False)
# --8<-- [end:setup]

# --8<-- [start:layer]
layer = keras.layers.TFSMLayer("exported", call_endpoint="serve")

expected = model(x, training=False)
np.testing.assert_allclose(
    layer(x, training=False), expected, rtol=1e-5, atol=1e-5
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

# --8<-- [start:export_again]
tuned.export("tuned", verbose=False)
served_again = tf.saved_model.load("tuned")
np.testing.assert_allclose(
    served_again.serve(x), tuned(x, training=False), rtol=1e-5, atol=1e-5
)
print("predictions equal within 1e-5")
# --8<-- [end:export_again]
