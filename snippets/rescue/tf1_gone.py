# --8<-- [start:says]
import keras
import tensorflow as tf


def says(code):
    """Run one line of old code, and print what it raises."""
    try:
        exec(code, {"keras": keras, "tf": tf})
        print(f"runs: {code}")
    except (AttributeError, ImportError, RuntimeError) as error:
        # Without the path of the file that an ImportError ends with.
        print(f"{type(error).__name__}: {str(error).partition(' (')[0]}")


# --8<-- [end:says]

# --8<-- [start:contrib]
says("from tensorflow.contrib import slim")
# --8<-- [end:contrib]

# --8<-- [start:top]
says("tf.layers.batch_normalization")
says("tf.estimator.Estimator")
says("tf.placeholder")
# --8<-- [end:top]

# --8<-- [start:eager]
says("tf.compat.v1.placeholder(tf.float32)")
# --8<-- [end:eager]

# --8<-- [start:phase]
says("keras.backend.set_learning_phase(0)")
# --8<-- [end:phase]

# --8<-- [start:gpus]
says("keras.utils.multi_gpu_model")
says("from tensorflow.keras.utils import multi_gpu_model")
# --8<-- [end:gpus]

# --8<-- [start:sync]
says("tf.keras.layers.experimental.SyncBatchNormalization")
says("keras.layers.BatchNormalization(synchronized=True)")
# --8<-- [end:sync]

# --8<-- [start:paths]
says("from keras.layers.normalization import BatchNormalization")
says("from keras.layers import BatchNormalization")
# --8<-- [end:paths]

# --8<-- [start:yaml]
says("from keras.models import model_from_yaml")
# --8<-- [end:yaml]

# --8<-- [start:v1]
old = tf.compat.v1.keras.layers.BatchNormalization
print("the same class:", old is keras.layers.BatchNormalization)
# --8<-- [end:v1]

# --8<-- [start:then]
import numpy as np
import tensorflow as tf
import tensorflow_hub as hub
from tensorflow.contrib import slim

x = np.random.RandomState(0).normal(5, 3, size=(64, 4)).astype("float32")
optimizer = tf.train.GradientDescentOptimizer(0.1)


def waiting(loss):
    with tf.control_dependencies(tf.get_collection("update_ops")):
        return optimizer.minimize(loss)


def of_slim(loss):
    return slim.learning.create_train_op(loss, optimizer)


def module(training=False):
    inputs = tf.placeholder(tf.float32, (None, 4))
    outputs = tf.layers.batch_normalization(inputs, training=training)
    hub.add_signature(inputs=inputs, outputs=outputs)


spec = hub.create_module_spec(
    module, [(set(), {}), ({"train"}, {"training": True})]
)
layers = {
    "tf.layers": lambda x: tf.layers.batch_normalization(x, training=True),
    "slim": slim.batch_norm,
    "slim, collection None": lambda x: slim.batch_norm(
        x, updates_collections=None
    ),
    "tf.keras.layers": lambda x: tf.keras.layers.BatchNormalization()(
        x, training=True
    ),
    "hub.Module, train": lambda x: hub.Module(
        spec, trainable=True, tags={"train"}
    )(x),
    "hub.Module": lambda x: hub.Module(spec, trainable=True)(x),
}
print("                       minimize  waits for UPDATE_OPS  create_train_op")
for name, layer in layers.items():
    moved = []
    for train_op in [optimizer.minimize, waiting, of_slim]:
        with tf.Graph().as_default(), tf.Session() as session:
            tf.train.get_or_create_global_step()
            operation = train_op(
                tf.reduce_mean((layer(tf.constant(x)) - 1) ** 2)
            )
            session.run(tf.global_variables_initializer())
            session.run(operation)
            means = session.run(tf.global_variables(".*moving_mean"))
            moved.append("moved" if np.any(means) else "kept")
    print("{:22} {:9} {:21} {}".format(name, *moved))

for phase in [None, 0, 1]:
    tf.keras.backend.clear_session()
    if phase is not None:
        tf.keras.backend.set_learning_phase(phase)
    bn = tf.keras.layers.BatchNormalization(input_shape=(4,))
    model = tf.keras.Sequential([bn, tf.keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x, x[:, :1] - 5, verbose=0)
    moved = "moved" if np.any(bn.get_weights()[2]) else "kept"
    same = np.allclose(model.predict(x[:1]), model.predict(x)[:1], atol=1e-5)
    print(f"learning phase {phase}: {moved}, alone as in a batch: {same}")
try:
    tf.keras.models.model_from_yaml(model.to_yaml())
except Exception as error:
    print(f"{type(error).__name__}:", str(error).splitlines()[0])
# --8<-- [end:then]
