# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf
from bn_tools import (
    batch_norms,
    broken,
    compare,
    estimate_again,
    repair,
    write_record,
)

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 8, 8, 3)).astype("float32")
y = (x.mean(axis=(1, 2, 3)) > 5).astype("float32")

base = keras.applications.MobileNet(
    input_shape=(32, 32, 3), alpha=0.25, include_top=False, weights=None
)
model = keras.Sequential(
    [
        keras.Input(shape=(8, 8, 3)),
        keras.layers.UpSampling2D(4),
        base,
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile("sgd", loss="binary_crossentropy", run_eagerly=True)
dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(64)
model.fit(dataset, verbose=0)
# --8<-- [end:setup]

# --8<-- [start:find]
by_hand = [
    layer
    for layer in model.layers
    if isinstance(layer, keras.layers.BatchNormalization)
]
print("by a loop over model.layers:", len(by_hand))
print("by batch_norms:", len(batch_norms(model)))
# --8<-- [end:find]

# --8<-- [start:prove]
write_record("record.npz", model, x[:32])
model.save("model.keras")

reloaded = keras.saving.load_model("model.keras")
print("loaded:", compare("record.npz", reloaded))

layer = batch_norms(reloaded)[-1]
layer.moving_variance.assign(np.ones(layer.moving_variance.shape))
print("one array lost:", *compare("record.npz", reloaded), sep="\n  ")
# --8<-- [end:prove]

# --8<-- [start:estimate]
before = batch_norms(model)[-1].moving_mean.numpy()
paths = estimate_again(model, dataset)
after = batch_norms(model)[-1].moving_mean.numpy()
print("layers estimated:", len(paths))
print("statistics moved:", not np.allclose(before, after))

base.trainable = False
try:
    estimate_again(model, dataset)
except ValueError as error:
    print("frozen:", str(error)[:20])
paths = estimate_again(model, dataset, layers=batch_norms(model))
print("frozen, but named:", len(paths))
# --8<-- [end:estimate]

# --8<-- [start:repair]
layer = batch_norms(model)[0]
layer.moving_mean.assign(np.full(layer.moving_mean.shape, np.nan))
print("broken:", broken(model))
print("repaired:", repair(model, dataset))
print("broken:", broken(model))
# --8<-- [end:repair]
