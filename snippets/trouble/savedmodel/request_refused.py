# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

x = np.random.normal(5, 3, size=(256, 8)).astype("float32")
model = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        keras.layers.Dense(1),
        keras.layers.BatchNormalization(),
    ]
)
for _ in range(100):
    model(x, training=True)
model.export("exported", verbose=False)
served = tf.saved_model.load("exported")
signature = served.signatures["serving_default"]
# --8<-- [end:setup]


# --8<-- [start:see]
def ask(what, **inputs):
    try:
        print(f"{what}:", signature(**inputs)["output_0"].shape)
    except (TypeError, tf.errors.InvalidArgumentError) as error:
        line = str(error).splitlines()[0].partition(" Received")[0]
        line = line.partition(" [Op")[0].rpartition(" as ")[2]
        print(f"{what}: {type(error).__name__}:", line)


row = tf.constant(x[:1])
ask("one row, named", keras_tensor=row)
ask("under another name", rows=row)
ask("without its batch axis", keras_tensor=row[0])
ask("as float64", keras_tensor=tf.cast(row, "float64"))
# --8<-- [end:see]

# --8<-- [start:list]
inputs = keras.Input(shape=(8,))
listed = keras.Model([inputs], model(inputs))
listed.export("listed", verbose=False)
served_list = tf.saved_model.load("listed")
try:
    served_list.serve(x[:1])
except TypeError as error:
    print("TypeError:", str(error).partition(" array(")[0])
print("as a list:", served_list.serve([x[:1]]).shape)
print("not a list:", served.serve(x[:1]).shape)
# --8<-- [end:list]

# --8<-- [start:fix]
for name, spec in signature.structured_input_signature[1].items():
    print(f"{name}: {spec.dtype.name}, {spec.shape}")

rows = x[:1].astype("float64")
inputs = {name: tf.cast(rows, spec.dtype)}
print(signature(**inputs)["output_0"].shape)
# --8<-- [end:fix]

# --8<-- [start:sure]
archive = keras.export.ExportArchive()
archive.track(model)
archive.add_endpoint(
    "serve",
    lambda rows: {"score": model(tf.cast(rows, "float32"), training=False)},
    input_signature=[tf.TensorSpec((None, 8), "float64", name="rows")],
)
archive.write_out("named", verbose=False)

signature = tf.saved_model.load("named").signatures["serving_default"]
print(signature(rows=tf.constant(rows))["score"].shape)
# --8<-- [end:sure]
