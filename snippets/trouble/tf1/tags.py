# --8<-- [start:export]
import numpy as np
import tensorflow as tf

rows = np.random.RandomState(0).normal(5, 3, size=(64, 4)).astype("float32")
builder = tf.saved_model.Builder("module")
for tag in ["train", "serve"]:
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, (None, 4))
        out = tf.layers.batch_normalization(
            x, training=tag == "train", name="bn"
        )
        signature = tf.saved_model.predict_signature_def({"x": x}, {"out": out})
        signatures = {"serving_default": signature}
        if tag == "train":
            session.run(tf.global_variables_initializer())
            updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
            for _ in range(500):
                session.run(updates, {x: rows})
            values = session.run(tf.global_variables())
            builder.add_meta_graph_and_variables(session, [tag], signatures)
        else:
            for variable, value in zip(tf.global_variables(), values):
                variable.load(value, session)
            np.savez(
                "then.npz", *values, x=rows, out=session.run(out, {x: rows})
            )
            builder.add_meta_graph([tag], signatures)
builder.save()
# --8<-- [end:export]

# --8<-- [start:see]
import keras
import numpy as np
import tensorflow as tf

for load in [tf.saved_model.load, keras.layers.TFSMLayer]:
    try:
        load("module")
    except ValueError as error:
        print("ValueError:", error)
# --8<-- [end:see]

# --8<-- [start:fix]
loaded = tf.saved_model.load("module", tags=["serve"])
serve = loaded.signatures["serving_default"]
# --8<-- [end:fix]

# --8<-- [start:sure]
then = np.load("then.npz")
x = tf.constant(then["x"])
for tag in ["serve", "train"]:
    loaded = tf.saved_model.load("module", tags=[tag])
    serve = loaded.signatures["serving_default"]
    alone, among = serve(x=x[:1])["out"], serve(x=x)["out"]
    same = np.allclose(alone, among[:1], atol=1e-4)
    right = np.allclose(among, then["out"], atol=1e-4)
    print(f"{tag}: alone as in a batch: {same}, as predicted then: {right}")
# --8<-- [end:sure]

# --8<-- [start:move]
layer = keras.layers.BatchNormalization()
layer.build(then["x"].shape)
file = tf.train.load_checkpoint("module/variables/variables")
names = ["gamma", "beta", "moving_mean", "moving_variance"]
layer.set_weights([file.get_tensor(f"bn/{name}") for name in names])

for i, name in enumerate(names):
    np.testing.assert_array_equal(getattr(layer, name), then[f"arr_{i}"])
np.testing.assert_allclose(layer(x, training=False), then["out"], atol=1e-4)
print("4 arrays and", len(x), "predictions equal")
# --8<-- [end:move]
