# --8<-- [start:see]
import keras
import numpy as np


def squared(y_true, y_pred):
    return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)


x = np.random.normal(5, 3, size=(64, 4)).astype("float32")
model = keras.Sequential(
    [keras.Input(shape=(4,)), keras.layers.BatchNormalization()]
)
model.compile(optimizer="sgd", loss=squared)
model.fit(x, x, verbose=0)
model.save("model.keras")
try:
    keras.saving.load_model("model.keras")
except TypeError as error:
    print("TypeError:", str(error).partition(". ")[0])
# --8<-- [end:see]

# --8<-- [start:fix]
ways = {
    "compile=False": {"compile": False},
    "custom_objects": {"custom_objects": {"squared": squared}},
}
for way, arguments in ways.items():
    loaded = keras.saving.load_model("model.keras", **arguments)
    equal = all(map(np.array_equal, model.weights, loaded.weights))
    optimizer = getattr(loaded, "optimizer", None)
    step = optimizer and int(optimizer.iterations.numpy())
    print(f"{way:14} arrays equal: {equal}, step: {step}")
# --8<-- [end:fix]

# --8<-- [start:sure]
register = keras.saving.register_keras_serializable(package="mine")
model.compile(optimizer=model.optimizer, loss=register(squared))
model.save("registered.keras")
loaded = keras.saving.load_model("registered.keras")
print("registered:    step:", int(loaded.optimizer.iterations.numpy()))
# --8<-- [end:sure]
