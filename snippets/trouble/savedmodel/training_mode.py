# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

np.random.seed(0)
x = np.random.normal(5, 3, size=(256, 8)).astype("float32")
model = keras.Sequential(
    [keras.Input(shape=(8,)), keras.layers.BatchNormalization()]
)
for _ in range(100):
    model(x, training=True)


def moves(served, rows):
    before = [v.numpy() for v in served.non_trainable_variables]
    served.serve(rows)
    after = [v.numpy() for v in served.non_trainable_variables]
    return not all(map(np.array_equal, before, after))


# --8<-- [end:setup]


# --8<-- [start:see]
def export_in(mode, net, folder, shape):
    archive = keras.export.ExportArchive()
    archive.track(net)
    archive.add_endpoint(
        "serve",
        lambda x: net(x, training=mode == "training"),
        input_signature=[tf.TensorSpec((None, *shape), "float32")],
    )
    archive.write_out(folder, verbose=False)


def report(folder):
    served = tf.saved_model.load(folder)
    in_16, in_8 = served.serve(x[:16]), served.serve(x[:8])
    differs = np.abs(in_16[:8] - in_8).max() > 0.1
    print(f"{folder:10} depends on the batch: {differs!s:6}", end=" ")
    print(f"moves its statistics: {moves(served, x + 10)}")


for mode in ["inference", "training"]:
    export_in(mode, model, mode, (8,))
    report(mode)
# --8<-- [end:see]

# --8<-- [start:fix]
model.export("exported", verbose=False)
report("exported")
# --8<-- [end:fix]


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


# --8<-- [end:alone]

# --8<-- [start:sure]
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
# --8<-- [end:sure]
