# --8<-- [start:model]
import numpy as np
import tf_keras

layers = tf_keras.layers
tf_keras.utils.set_random_seed(0)
image = layers.Input((8, 8, 3), name="image")
y = layers.Conv2D(4, 3, name="conv1/7x7")(image)
y = layers.BatchNormalization(name="conv1/7x7/bn")(y)
y = layers.GlobalAveragePooling2D(name="pool")(layers.ReLU(name="relu")(y))
model = tf_keras.Model(image, layers.Dense(3, name="head")(y))
x = np.random.normal(5, 3, size=(32, 8, 8, 3)).astype("float32")
model.compile("sgd", "mse")
model.fit(x, x[:, 0, 0], epochs=5, verbose=0)
# --8<-- [end:model]

# --8<-- [start:save]
model.save("model.h5")
again = tf_keras.models.load_model("model.h5")
weights = zip(again.get_weights(), model.get_weights(), strict=True)
print("Keras loads it:", all(np.array_equal(*pair) for pair in weights))
# --8<-- [end:save]

# --8<-- [start:convert]
from tensorflowjs import converters

converters.convert(["--input_format=keras", "model.h5", "web_model"])
# --8<-- [end:convert]

# --8<-- [start:see]
from tfjs_browser import predict

message = predict("web_model", x)
print(message.replace(": ", ":\n").replace(",", "\n"))
# --8<-- [end:see]

# --8<-- [start:why]
import h5py

with h5py.File("model.h5") as file:
    print("in conv1/7x7:", *file["model_weights/conv1/7x7"])
# --8<-- [end:why]


# --8<-- [start:fix]
def without_slash(layer):
    config = layer.get_config()
    config["name"] = config["name"].replace("/", "_")
    return type(layer).from_config(config)


renamed = tf_keras.models.clone_model(model, clone_function=without_slash)
renamed.set_weights(model.get_weights())
renamed.save("renamed.h5")
# --8<-- [end:fix]

# --8<-- [start:again]
from tensorflowjs import converters

converters.convert(["--input_format=keras", "renamed.h5", "web_renamed"])
# --8<-- [end:again]

# --8<-- [start:sure]
expected = model(x, training=False).numpy()
found = predict("web_renamed", x)
np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
print(len(x), "predictions within 1e-4")
# --8<-- [end:sure]
