# --8<-- [start:tools]
import keras
import numpy as np


@keras.saving.register_keras_serializable(package="fine_tune")
class InferenceMode(keras.layers.Wrapper):
    """Calls a base in inference mode, whatever mode its model is in."""

    def __init__(self, layer, **kwargs):
        # The base has dtype policies of its own, so nothing is cast for it.
        super().__init__(layer, autocast=False, **kwargs)
        self.mode = keras.layers.Dropout(0.0, autocast=False)

    def call(self, inputs, training=None):
        outputs = self.layer(inputs, training=False)
        # Drops nothing. Called with the mode of the model, it hands that on:
        # in a class, layers without an argument take the mode of the last call.
        return self.mode(outputs, training=training)


# --8<-- [end:tools]

# --8<-- [start:base]
from sklearn.datasets import load_digits

images, labels = load_digits(return_X_y=True)
images = images.reshape(-1, 8, 8, 1).astype("float32") / 16
x_old, y_old = images[:1200], labels[:1200]
# The new task: is the digit odd? 200 images to learn from, 397 to judge by.
x_new, y_new = images[1200:1400], labels[1200:1400] % 2
x_judge, y_judge = images[1400:], labels[1400:] % 2


def compile_with(model, optimizer):
    model.compile(optimizer, "sparse_categorical_crossentropy")


def accuracy(model, x, y):
    return np.mean(np.argmax(model(x, training=False), axis=1) == y)


keras.utils.set_random_seed(0)
h = pixels = keras.Input(shape=(8, 8, 1))
for i, filters in enumerate([16, 32], 1):
    h = keras.layers.Conv2D(filters, 3, use_bias=False, name=f"conv{i}")(h)
    h = keras.layers.BatchNormalization(momentum=0.9, name=f"bn{i}")(h)
    h = keras.layers.ReLU()(h)
h = keras.layers.GlobalAveragePooling2D()(h)
base = keras.Model(pixels, h, name="base")

digits = keras.layers.Dense(10, activation="softmax")
old = keras.Sequential([keras.Input(shape=(8, 8, 1)), base, digits])
compile_with(old, keras.optimizers.SGD(0.3))
old.fit(x_old, y_old, epochs=4, verbose=0)
print("old task, above 0.8:", accuracy(old, x_judge, labels[1400:]) > 0.8)
# --8<-- [end:base]

# --8<-- [start:head]
inputs = keras.Input(shape=(8, 8, 1))
head = keras.layers.Dense(2, activation="softmax")
model = keras.Model(inputs, head(InferenceMode(base)(inputs)))

base.trainable = False
compile_with(model, keras.optimizers.SGD(0.2))
start = base.get_weights()
model.fit(x_new, y_new, epochs=6, verbose=0)
# --8<-- [end:head]

# --8<-- [start:tune]
base.trainable = True
compile_with(model, keras.optimizers.SGD(0.003))
middle = base.get_weights()
model.fit(x_new, y_new, epochs=3, verbose=0)
# --8<-- [end:tune]

# --8<-- [start:prove]
print(f"{'':21} head   then the base")
for variable, *arrays in zip(base.weights, start, middle, base.get_weights()):
    steps = zip(arrays[:-1], arrays[1:])
    head_step, base_step = (
        "kept" if np.array_equal(*pair) else "moved" for pair in steps
    )
    print(f"{variable.path:21} {head_step:6} {base_step}")
# --8<-- [end:prove]

# --8<-- [start:judge]
print("new task, above 0.9:", accuracy(model, x_judge, y_judge) > 0.9)
print("old task, above 0.8:", accuracy(old, x_judge, labels[1400:]) > 0.8)
# --8<-- [end:judge]

# --8<-- [start:save]
from bn_tools import write_record

model.save("tuned.keras")
write_record("tuned.npz", model, x_new)

# The same layers without the wrapper: for a file that needs no class.
plain = keras.Model(inputs, head(base(inputs)))
plain.save("plain.keras")
np.savez("plain.npz", x=x_new, outputs=model(x_new, training=False))
# --8<-- [end:save]

# --8<-- [start:reload]
from bn_tools import batch_norms, compare

loaded = keras.saving.load_model("tuned.keras")
print("different after loading:", compare("tuned.npz", loaded, atol=0))

record = np.load("tuned.npz")
layers = batch_norms(loaded)
statistics = [layer.moving_mean.numpy() for layer in layers]
betas = [layer.beta.numpy() for layer in layers]
loaded.fit(record["x_0"], np.arange(200) % 2, verbose=0)
kept = [np.array_equal(bn.moving_mean, m) for bn, m in zip(layers, statistics)]
print("fit kept the statistics:", kept)
print(
    "fit kept beta:",
    [np.array_equal(bn.beta, b) for bn, b in zip(layers, betas)],
)
# --8<-- [end:reload]

# --8<-- [start:without_class]
import keras
import numpy as np

try:
    keras.saving.load_model("tuned.keras")
except TypeError as error:
    print("TypeError: ...", str(error).partition("encountered: ")[2][:38])

loaded = keras.saving.load_model("plain.keras")
expected = np.load("plain.npz")
outputs = loaded(expected["x"], training=False)
print(
    "predictions equal:", np.allclose(outputs, expected["outputs"], atol=1e-5)
)
# --8<-- [end:without_class]
