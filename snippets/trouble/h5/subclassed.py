# --8<-- [start:setup]
import keras
import numpy as np


@keras.saving.register_keras_serializable()
class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(10)
        self.bn = keras.layers.BatchNormalization()
        self.head = keras.layers.Dense(1)

    def call(self, x, training=False):
        return self.head(self.bn(self.dense(x), training=training))


x = np.random.normal(5, 3, size=(256, 8)).astype("float32")
net = Net()
net.compile(optimizer="sgd", loss="mean_squared_error")
net.fit(x, x[:, :1], verbose=0)
# --8<-- [end:setup]

# --8<-- [start:see]
net.save("net.h5")
for custom_objects in [None, {"Net": Net}]:
    try:
        keras.saving.load_model("net.h5", custom_objects=custom_objects)
    except ValueError as error:
        print("ValueError:", error)
# --8<-- [end:see]

# --8<-- [start:fix]
loaded = Net()
loaded(x[:1], training=False)
loaded.load_weights("net.h5")
# --8<-- [end:fix]

# --8<-- [start:sure]
loaded.save("net.keras")
reloaded = keras.saving.load_model("net.keras")
expected = net(x, training=False)
for name, each in {
    "from net.h5": loaded,
    "from net.keras": reloaded,
    "a new Net": Net(),
}.items():
    equal = np.array_equal(expected, each(x, training=False))
    print(f"{name:14} predictions equal: {equal}")
# --8<-- [end:sure]
