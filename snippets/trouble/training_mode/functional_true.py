# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

np.random.seed(0)
x = np.random.normal(5, 3, size=(64, 4)).astype("float32")


def build_model(**arguments):
    """Return a model that knows a mean of 5 and a variance of 9."""
    inputs = keras.Input(shape=(4,))
    bn = keras.layers.BatchNormalization(name="bn")
    model = keras.Model(inputs, bn(inputs, **arguments))
    bn.moving_mean.assign([5.0] * 4)
    bn.moving_variance.assign([9.0] * 4)
    return model


def report(what, variables, call):
    moving_mean = next(v for v in variables if "moving_mean" in v.name)
    before = moving_mean.numpy()
    same = np.allclose(call(x[:1])[0], call(x)[0], atol=1e-3)
    moved = not np.array_equal(before, moving_mean)
    print(f"{what:9} alone as in a batch: {same!s:6} moved: {moved}")


def report_folder(what, folder):
    served = tf.saved_model.load(folder)
    report(what, served.variables, served.serve)


# --8<-- [end:setup]


# --8<-- [start:see]
def report_all(model):
    model.export("exported", verbose=False)
    report_folder("export", "exported")
    report("predict", model.weights, lambda x: model.predict(x, verbose=0))
    report("model(x)", model.weights, model)


for arguments in [{}, {"training": True}]:
    print(arguments)
    report_all(build_model(**arguments))
# --8<-- [end:see]

# --8<-- [start:fix]
model = build_model(training=True)
archive = keras.export.ExportArchive()
archive.track(model)
archive.add_endpoint(
    "serve",
    lambda x: model(x, training=False),
    input_signature=[keras.InputSpec(shape=(None, 4), dtype="float32")],
)
archive.write_out("inference", verbose=False)
report_folder("export", "inference")
# --8<-- [end:fix]

# --8<-- [start:sure]
for arguments in [{}, {"training": True}]:
    model = build_model(**arguments)
    print(arguments, '"training": true' in model.to_json())
# --8<-- [end:sure]
