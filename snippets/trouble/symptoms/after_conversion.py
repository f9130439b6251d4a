# --8<-- [start:measure]
import keras
import numpy as np


def compare(model, predict, x):
    """Return what tells apart why a converted model predicts something else.

    Args:
        model: The Keras model, with one output.
        predict: A function that asks the other runtime: rows to outputs.
        x: An array of rows as in training, at least 8 that differ.

    Returns:
        Four words: whether the outputs are finite, how far off, whether
        they are those of training mode, whether a row's depend on the others.
    """
    outputs = model(x, training=False)
    if len(keras.tree.flatten([x, outputs])) > 2:
        raise ValueError("compare takes one array, and one array of outputs")
    found, wanted = predict(x), outputs.numpy()
    before = [(variable, variable.numpy()) for variable in model.variables]
    batch = model(x, training=True).numpy()  # moves the statistics
    for variable, array in before:
        variable.assign(array)
    alone = np.concatenate([predict(x[i : i + 1]) for i in range(8)])
    if not (np.isfinite(found).all() and np.isfinite(wanted).all()):
        return ["no", "-", "-", "-"]
    size = np.abs(wanted).max()
    off = np.abs(found - wanted).max() / size
    like_training = np.allclose(found, batch, rtol=0, atol=0.01 * size)
    depends = not np.allclose(found[:8], alone, rtol=0, atol=0.01 * size)
    power = "1e-5" if off < 1e-5 else "0.05" if off < 0.05 else "more"
    return [
        "yes",
        power,
        *("yes" if b else "no" for b in (like_training, depends)),
    ]


# --8<-- [end:measure]

# --8<-- [start:cases]
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

keras.utils.set_random_seed(0)
x = np.random.uniform(0, 255, size=(256, 8, 8, 3)).astype("float32")
y = x.mean(axis=(1, 2))[:, :2] / 100
x[..., 2] /= 4  # the third channel is another one than the first


def build(dropout=0):
    model = keras.Sequential(
        [
            keras.Input(shape=(8, 8, 3)),
            keras.layers.Conv2D(8, 3),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dropout(dropout),
            keras.layers.Dense(2),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model


def convert(model, training=False, small=False):
    """Convert to LiteRT and return what asks it."""
    archive = keras.export.ExportArchive()
    archive.track(model)
    rows = tf.TensorSpec((None, 8, 8, 3))
    archive.add_endpoint("serve", lambda x: model(x, training=training), [rows])
    archive.write_out("exported", verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model("exported")
    if small:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([r[None]] for r in x[:64])
    ask = Interpreter(model_content=converter.convert()).get_signature_runner()
    (name,) = ask.get_input_details()
    return lambda rows: next(iter(ask(**{name: rows}).values()))


model = build()
model.fit(x, y, epochs=30, verbose=0)
started = build()
started.set_weights(model.get_weights())
started.layers[1].set_weights(build().layers[1].get_weights())
dropped = build(dropout=0.5)
dropped.set_weights(model.get_weights())
broken = build()
broken.set_weights(model.get_weights())
broken.layers[1].moving_variance.assign([np.nan] * 8)
sound = convert(model)
for name, predict in {
    "nothing": sound,
    "training mode": convert(model, training=True),
    # LiteRT refuses this one; other runtimes draw.
    "with Dropout": lambda rows: dropped(rows, training=True).numpy(),
    "int8": convert(model, small=True),
    "scaled rows": lambda rows: sound(rows / 255),
    "swapped channels": lambda rows: sound(rows[..., ::-1].copy()),
    "statistics at start": convert(started),
    "variance NaN": convert(broken),
}.items():
    words = compare(model, predict, x)
    print(f"{name:20}", *(f"{word:6}" for word in words[:-1]), words[-1])
# --8<-- [end:cases]

# --8<-- [start:versions]
from importlib.metadata import version

for library in ["keras", "tensorflow", "ai-edge-litert"]:
    print(library, version(library))
# --8<-- [end:versions]
