# --8<-- [start:program]
import threading

import numpy as np
import tensorflow as tf
from tensorflow import keras

x = np.random.RandomState(0).normal(5, 3, size=(256, 4)).astype("float32")
bn = keras.layers.BatchNormalization(momentum=0.9, input_shape=(4,))
model = keras.Sequential([bn, keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(x, x[:, :1] - 5, epochs=20, verbose=0)
model.save("model.h5")
predicted = model.predict(x)
np.savez("then.npz", x=x, predicted=predicted)
keras.backend.clear_session()


def report(case):
    try:
        same = np.allclose(loaded.predict(x), predicted, atol=1e-5)
    except tf.errors.FailedPreconditionError as error:
        said = " ".join(str(error).split()[:5])
        print(f"{case:14}FailedPreconditionError: {said}")
    else:
        mean = loaded.layers[0].get_weights()[2]
        print(f"{case:14}as saved: {same}, moving_mean at 0: {not mean.any()}")


def in_a_thread(function):
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()


# --8<-- [end:program]

# --8<-- [start:serve]
loaded = keras.models.load_model("model.h5")
report("as loaded")
with tf.Session() as session:
    report("other session")
    session.run(tf.global_variables_initializer())
    report("initialized")
graph = tf.get_default_graph()


def answer():
    with graph.as_default():
        report("in a thread")


in_a_thread(answer)
# --8<-- [end:serve]

# --8<-- [start:mended]
session = tf.Session()
keras.backend.set_session(session)
loaded = keras.models.load_model("model.h5")
report("set first")
graph = tf.get_default_graph()


def answer():
    with graph.as_default(), session.as_default():
        report("thread, both")


in_a_thread(answer)
# --8<-- [end:mended]

# --8<-- [start:today]
import threading

import keras
import numpy as np

then = np.load("then.npz")
layers = [keras.layers.BatchNormalization(), keras.layers.Dense(1)]
model = keras.Sequential([keras.Input((4,)), *layers])
model.load_weights("model.h5")


def answer():
    predictions = model.predict(then["x"], verbose=0)
    same = np.allclose(predictions, then["predicted"], atol=1e-4)
    print("in a thread, as in TensorFlow 1:", same)


thread = threading.Thread(target=answer)
thread.start()
thread.join()
print("moving_mean at 0:", not model.layers[0].moving_mean.numpy().any())
# --8<-- [end:today]
