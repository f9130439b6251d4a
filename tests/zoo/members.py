"""The zoo: small real architectures, built in a second or two, with data to train on.

Each builder returns a new, uncompiled model that has its arrays; the seed is set by the
caller. Its last batch is smaller than the others. Classes are written as readers write
them, not as the pages recommend.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import keras
import numpy as np
from keras import layers

# Adam's arrays and steps for each weight would double the time of large models.
with_momentum = partial(keras.optimizers.SGD, 0.01, momentum=0.9)

register = keras.saving.register_keras_serializable(package="zoo")


@dataclass(frozen=True)
class Member:
    """A model of the zoo and what it is trained with.

    Attributes:
        name: Its name in the table, in words.
        build: Returns the model.
        data: Returns ``x`` and ``y`` for ``fit``: arrays, or dicts of arrays.
        traits: What a proof may have to know: "subclassed" (``model.layers`` is not the
            whole story and the class is the reader's), "custom" (a layer class of the
            reader's inside), "lists" (layers in lists), "nested", "frozen", "dropout",
            "noise" (other layers that change or disturb in training mode), "mixed"
            (a mixed dtype policy), "masks", "dict" (inputs), "outputs" (several),
            "shared", "normalization" (state beside the weights).
        policy: The global dtype policy to build and to train it under.
        loss: The loss for ``compile``.
        optimizer: Returns a new optimizer.
        batch_size: Rows of a batch; the last one is smaller.
        threads: Number of threads of an operation; 0 is what TensorFlow chooses.
    """

    name: str
    build: Callable
    data: Callable
    traits: frozenset = frozenset()
    policy: str = "float32"
    loss: object = "sparse_categorical_crossentropy"
    optimizer: Callable = keras.optimizers.Adam
    batch_size: int = 16
    threads: int = 0


MEMBERS: dict[str, Member] = {}


def member(name, data, traits="", **settings):
    """Register a builder as a member of the zoo, under the name of the function."""

    def add(build):
        MEMBERS[build.__name__] = Member(
            name, build, data, frozenset(traits.split()), **settings
        )
        return build

    return add


def _random(*shape):
    return np.random.default_rng(7).normal(3, 2, shape).astype("float32")


def _classes(rows):
    return np.random.default_rng(8).integers(0, 3, rows)


def rows():
    """Return 44 rows of 6 features and a class for each."""
    x = _random(44, 6)
    return x, np.argmax(x[:, :3], axis=1)


def images(size=8, count=44):
    """Return images with a brightness of their own, and a class for each."""
    x = _random(count, size, size, 3)
    x += np.random.default_rng(9).normal(size=(count, 1, 1, 1)).astype("float32")
    return x, np.argmax(x.mean(axis=(1, 2)), axis=1)


def large_images():
    """Return 20 images for the bases of keras.applications."""
    return images(32, 20)


def clips():
    """Return 10 clips of 2 images."""
    x = _random(10, 2, 32, 32, 3)
    return x, _classes(10)


def pairs():
    """Return images and rows as a dict, and a class for each pair."""
    x, y = images()
    return {"image": x, "row": _random(44, 6)}, y


def two_targets():
    """Return rows, with a class and a number to predict for each."""
    x, y = rows()
    return x, {"kind": y, "size": x.sum(axis=1, keepdims=True)}


def masks_of_pixels():
    """Return images and a class for each pixel."""
    x, _ = images()
    return x, (x[..., :1] > 3).astype("float32")


def sentences():
    """Return token numbers padded with 0, and a class for each sentence."""
    tokens = np.random.default_rng(7).integers(1, 50, (44, 9))
    for i, row in enumerate(tokens):
        row[3 + i % 6 :] = 0
    return tokens, tokens[:, 0] % 3


@member("flat Sequential", rows)
def sequential():
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(16),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Dense(8),
            layers.BatchNormalization(),
            layers.Dense(3, activation="softmax"),
        ]
    )


def _cnn():
    inputs = x = keras.Input((8, 8, 3))
    for filters in (8, 16):
        shortcut = layers.Conv2D(filters, 1, padding="same")(x)
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization()(x)
        x = layers.ReLU()(x)
        x = layers.Add()([x, shortcut])
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(3)(x)
    outputs = layers.Softmax(dtype="float32")(x)
    return keras.Model(inputs, outputs)


@member("functional CNN", images)
def functional():
    return _cnn()


@member("CNN, one thread", images, threads=1)
def one_thread():
    return _cnn()


@member("mixed_float16", images, "mixed", policy="mixed_float16")
def float16():
    return _cnn()


@member("mixed_bfloat16", images, "mixed", policy="mixed_bfloat16")
def bfloat16():
    return _cnn()


@member("frozen MobileNetV2 inside", large_images, "nested frozen dropout")
def mobilenet():
    base = keras.applications.MobileNetV2(
        (32, 32, 3), alpha=0.35, include_top=False, weights=None, pooling="avg"
    )
    # As if it were pretrained: statistics far from 0 and 1.
    random = np.random.default_rng(1)
    for layer in base.layers:
        if isinstance(layer, layers.BatchNormalization):
            shape = layer.moving_mean.shape
            layer.moving_mean.assign(random.normal(0, 0.1, shape))
            layer.moving_variance.assign(random.uniform(0.5, 1.5, shape))
    base.trainable = False
    inputs = keras.Input((32, 32, 3))
    x = base(inputs)
    x = layers.BatchNormalization(name="head_bn")(x)
    x = layers.Dropout(0.3)(x)
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(x))


@member(
    "EfficientNetB0 inside",
    large_images,
    "nested dropout normalization",
    optimizer=with_momentum,
)
def efficientnet():
    base = keras.applications.EfficientNetB0(
        include_top=False, weights=None, input_shape=(32, 32, 3), pooling="avg"
    )
    inputs = keras.Input((32, 32, 3))
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(base(inputs)))


@member(
    "MobileNet in TimeDistributed",
    clips,
    "nested",
    optimizer=with_momentum,
    batch_size=4,
)
def time_distributed():
    base = keras.applications.MobileNet(
        (32, 32, 3), alpha=0.25, include_top=False, weights=None, pooling="avg"
    )
    inputs = keras.Input((2, 32, 32, 3))
    x = layers.TimeDistributed(base)(inputs)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(x))


@register
class ResidualBlock(layers.Layer):
    """Two convolutions with a shortcut; its layers get their arrays when called."""

    def __init__(self, filters, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.convolutions = [
            layers.Conv2D(filters, 3, padding="same", use_bias=False) for _ in range(2)
        ]
        self.norms = [layers.BatchNormalization() for _ in range(2)]
        self.shortcut = layers.Conv2D(filters, 1)

    def call(self, x, training=False):
        y = x
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            y = keras.ops.relu(norm(convolution(y), training=training))
        return y + self.shortcut(x)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters}


@register
class ResNet(keras.Model):
    """A residual network as a class, its blocks in lists within a list."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.stages = [
            [ResidualBlock(8), ResidualBlock(8)],
            [ResidualBlock(16), ResidualBlock(16)],
        ]
        self.head = layers.Dense(3, activation="softmax")

    def call(self, x, training=False):
        for stage in self.stages:
            for block in stage:
                x = block(x, training=training)
        return self.head(keras.ops.mean(x, axis=(1, 2)))

    def get_config(self):
        return {"name": self.name}


@member("ResNet class, lists of lists", images, "subclassed custom lists")
def resnet():
    model = ResNet()
    model(np.zeros((1, 8, 8, 3), "float32"))
    return model


@register
class Unit(layers.Layer):
    """A layer of the reader's, without ``build``."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = layers.Dense(units)
        self.norm = layers.BatchNormalization(epsilon=1e-3)

    def call(self, x, training=False):
        return keras.ops.relu(self.norm(self.dense(x), training=training))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@register
class BuiltUnit(Unit):
    """The same, with ``build``."""

    def build(self, shape):
        self.dense.build(shape)
        self.norm.build((*shape[:-1], self.units))
        super().build(shape)


def _with_units(unit):
    inputs = keras.Input((6,))
    x = unit(8)(unit(16)(inputs))
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(x))


@member("custom layers", rows, "custom")
def custom():
    return _with_units(Unit)


@member("custom layers with build", rows, "custom")
def custom_built():
    return _with_units(BuiltUnit)


@member("U-Net", masks_of_pixels, loss="binary_crossentropy")
def unet():
    def block(x, filters):
        for _ in range(2):
            x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
            x = layers.ReLU()(layers.BatchNormalization()(x))
        return x

    inputs = keras.Input((8, 8, 3))
    down = block(inputs, 8)
    middle = block(layers.MaxPooling2D()(down), 16)
    up = layers.Conv2DTranspose(8, 2, strides=2)(middle)
    up = layers.ReLU()(layers.BatchNormalization()(up))
    x = block(layers.Concatenate()([down, up]), 8)
    return keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(x))


@member("GRU with masks", sentences, "masks")
def recurrent():
    inputs = keras.Input((9,), dtype="int32")
    x = layers.Embedding(50, 8, mask_zero=True)(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.Bidirectional(layers.GRU(8, return_sequences=True))(x)
    x = layers.BatchNormalization()(x)
    x = layers.GRU(8)(x)
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(x))


@member("two inputs in a dict", pairs, "dict")
def two_inputs():
    inputs = {
        "image": keras.Input((8, 8, 3), name="image"),
        "row": keras.Input((6,), name="row"),
    }
    image = layers.Conv2D(8, 3, use_bias=False)(inputs["image"])
    image = layers.GlobalAveragePooling2D()(layers.BatchNormalization()(image))
    row = layers.BatchNormalization()(layers.Dense(8)(inputs["row"]))
    x = layers.Concatenate()([image, row])
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(x))


@member(
    "two outputs",
    two_targets,
    "outputs",
    loss={"kind": "sparse_categorical_crossentropy", "size": "mean_squared_error"},
)
def two_outputs():
    inputs = keras.Input((6,))
    x = layers.ReLU()(layers.BatchNormalization()(layers.Dense(16)(inputs)))
    outputs = {
        "kind": layers.Dense(3, activation="softmax", name="kind")(x),
        "size": layers.Dense(1, name="size")(layers.BatchNormalization()(x)),
    }
    return keras.Model(inputs, outputs)


@member("scale=False", rows)
def without_scale():
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(16, use_bias=False),
            layers.BatchNormalization(scale=False),
            layers.ReLU(),
            layers.BatchNormalization(center=False, scale=False),
            layers.Dense(3, activation="softmax"),
        ]
    )


@member("spectral normalization, noise", rows, "noise dropout")
def spectral():
    inputs = keras.Input((6,))
    x = layers.GaussianNoise(0.1)(inputs)
    x = layers.SpectralNormalization(layers.Dense(16))(x)
    x = layers.BatchNormalization()(x)
    x = layers.AlphaDropout(0.2)(layers.ReLU()(x))
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(x))


@member("one layer, two branches", rows, "shared")
def shared():
    norm = layers.BatchNormalization()
    inputs = keras.Input((6,))
    branches = [norm(layers.Dense(8)(inputs)), norm(layers.Dense(8)(inputs))]
    x = layers.Concatenate()(branches)
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(x))


@member("Normalization layer", rows, "normalization")
def normalization():
    adapted = layers.Normalization()
    adapted.adapt(rows()[0])
    inputs = keras.Input((6,))
    x = layers.BatchNormalization()(layers.Dense(16)(adapted(inputs)))
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(x))
