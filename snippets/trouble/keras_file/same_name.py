# --8<-- [start:see]
import keras
import numpy as np


def huber(y_true, y_pred):
    """Has the name of a loss of Keras, and adds 1000 to be told apart."""
    error = keras.ops.square(y_true - y_pred)
    return 1000 + keras.ops.mean(error, axis=-1)


x = np.random.normal(5, 3, size=(64, 4)).astype("float32")
model = keras.Sequential(
    [keras.Input(shape=(4,)), keras.layers.BatchNormalization()]
)


def saved_and_loaded(loss, **arguments):
    model.compile(optimizer="sgd", loss=loss)
    model.save("model.keras")
    loaded = keras.saving.load_model("model.keras", **arguments)
    losses = [net.evaluate(x, x, verbose=0) for net in [model, loaded]]
    return loaded, np.allclose(*losses)


loaded, same = saved_and_loaded(huber)
print("the loss is the same:", same)
# --8<-- [end:see]

# --8<-- [start:fix]
_, same = saved_and_loaded(huber, custom_objects={"huber": huber})
print("custom_objects: the loss is the same:", same)

register = keras.saving.register_keras_serializable(package="mine")
loaded_right, same = saved_and_loaded(register(huber))
print("registered:     the loss is the same:", same)
# --8<-- [end:fix]

# --8<-- [start:sure]
for name, net in {"at first": loaded, "registered": loaded_right}.items():
    print(f"{name:10} {net.loss.__module__.partition('.')[0]}")
# --8<-- [end:sure]
