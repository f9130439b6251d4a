# --8<-- [start:program]
import tempfile

import numpy as np
import tensorflow as tf

x = np.random.RandomState(0).normal(5, 3, size=(256, 4)).astype("float32")
y = x[:, :1] - 5
bn = tf.keras.layers.BatchNormalization(momentum=0.9, input_shape=(4,))
model = tf.keras.Sequential([bn, tf.keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(x, y, epochs=20, verbose=0)
names = ["gamma", "beta", "moving_mean", "moving_variance"]
trained = dict(zip(names, bn.get_weights()))
predicted = model.predict(x, verbose=0)


def rows():
    data = tf.data.Dataset.from_tensor_slices(({model.input_names[0]: x}, y))
    return data.batch(32)


def compare(estimator):
    estimator.train(rows, steps=1)
    reader = tf.train.load_checkpoint(estimator.latest_checkpoint())
    for key in sorted(reader.get_variable_to_shape_map()):
        for name in names:
            if name in key:
                array = reader.get_tensor(key)
                near = np.allclose(array, trained[name], rtol=0.2, atol=0.1)
                print(f"  {name:15} as trained: {near}")
    out = [list(row.values())[0] for row in estimator.predict(rows)]
    print("  predictions as trained:", np.allclose(out, predicted, atol=0.3))


made = tf.keras.estimator.model_to_estimator(
    model, model_dir=tempfile.mkdtemp()
)
print(tf.__version__)
# --8<-- [end:program]

# --8<-- [start:then]
compare(made)
# --8<-- [end:then]

# --8<-- [start:later]
compare(made)
# --8<-- [end:later]

# --8<-- [start:warm]
for wanted in [".*", [".*"]]:
    settings = tf.estimator.WarmStartSettings(
        made.model_dir + "/keras/keras_model.ckpt", vars_to_warm_start=wanted
    )
    print("vars_to_warm_start:", wanted)
    compare(
        tf.estimator.Estimator(
            made.model_fn, tempfile.mkdtemp(), warm_start_from=settings
        )
    )
# --8<-- [end:warm]
