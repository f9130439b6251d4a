# --8<-- [start:setup]
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)
x = np.random.normal(size=(256, 8, 8, 3)) * [1, 2, 3] + [1, 4, 9]
x = x.astype("float32")
y = (x[:, 0, 0, 0] > 1).astype("int32")


def build(epsilon=0.001, negative_slope=0.0):
    inputs = keras.Input((8, 8, 3))
    h = layers.Conv2D(8, 3, name="conv1")(inputs)
    h = layers.BatchNormalization(momentum=0.9, epsilon=epsilon, name="bn1")(h)
    h = layers.ReLU(negative_slope=negative_slope, name="relu1")(h)
    h = layers.Conv2D(8, 3, name="conv2")(h)
    h = layers.BatchNormalization(momentum=0.9, name="bn2")(h)
    h = layers.GlobalAveragePooling2D(name="pool")(h)
    h = layers.Dropout(0.5, name="drop")(h)
    outputs = layers.Dense(2, activation="softmax", name="head")(h)
    return keras.Model(inputs, outputs)


model = build()
model.compile("sgd", "sparse_categorical_crossentropy")
model.fit(x, y, epochs=8, verbose=0)
# --8<-- [end:setup]

# --8<-- [start:save]
from bn_tools import write_record

write_record("model.npz", model, x[:32])
model.save("model.keras")
# --8<-- [end:save]

# --8<-- [start:load]
from diagnose import diagnose

loaded = keras.saving.load_model("model.keras")
result = diagnose("model.npz", loaded, data=(x, y))
# --8<-- [end:load]

# --8<-- [start:reload]
import keras
import numpy as np
from diagnose import diagnose

again = keras.saving.load_model("model.keras")
rows = np.load("model.npz")["x_0"]
diagnose("model.npz", again, data=rows)
# --8<-- [end:reload]


# --8<-- [start:tell]
import contextlib
import io
import textwrap


def tell(loaded, record="model.npz", **given):
    with contextlib.redirect_stdout(io.StringIO()):
        result = diagnose(record, loaded, **given)
    print(f"{result['cause']}:")
    print(textwrap.indent(textwrap.fill(result["text"], 73), "    "))
    print("   ", result["link"].partition("/saving-batchnorm/")[2])


# --8<-- [end:tell]

# --8<-- [start:arrays]
partly = keras.saving.load_model("model.keras")
partly.get_layer("bn1").set_weights(build().get_layer("bn1").get_weights())
tell(partly)

swapped = keras.saving.load_model("model.keras")
gamma, beta, mean, variance = swapped.get_layer("bn2").get_weights()
swapped.get_layer("bn2").set_weights([beta, gamma, mean, variance])
tell(swapped)
# --8<-- [end:arrays]

# --8<-- [start:setting]
changed = build(epsilon=0.1)
changed.load_weights("model.keras")
tell(changed)
# --8<-- [end:setting]


# --8<-- [start:modes]
class AlwaysDropout(layers.Dropout):
    def call(self, x, training=False):
        return super().call(x, training=True)


class AlwaysTraining(layers.BatchNormalization):
    def call(self, x, training=False, mask=None):
        return super().call(x, training=True, mask=mask)


def replaced(name, kind):
    """Return the loaded model, with a layer of another class."""
    loaded = keras.saving.load_model("model.keras")
    loaded.get_layer(name).__class__ = kind
    return loaded


tell(replaced("drop", AlwaysDropout))
tell(replaced("bn2", AlwaysTraining))
# --8<-- [end:modes]

# --8<-- [start:inputs]
tell(loaded, data=x[..., ::-1])
tell(loaded, data=x / 255)
# --8<-- [end:inputs]

# --8<-- [start:statistics]
young = build()
young.load_weights("model.keras")
for name in ["bn1", "bn2"]:
    young.get_layer(name).moving_mean.assign(np.zeros(8))
    young.get_layer(name).moving_variance.assign(np.ones(8))
young(x[:32], training=True)  # one step
write_record("young.npz", young, x[:32])
tell(young, "young.npz", data=x)
# --8<-- [end:statistics]

# --8<-- [start:unknown]
sloped = build(negative_slope=0.3)
sloped.load_weights("model.keras")
tell(sloped)
tell(sloped, good=model)
# --8<-- [end:unknown]

# --8<-- [start:first]
from bn_evidence import first_difference

print("sloped:", first_difference(sloped, model, x[:32])[:48])
print("loaded:", first_difference(loaded, model, x[:32]))
# --8<-- [end:first]
