# --8<-- [start:gan]
import keras
import tensorflow as tf
from bn_tools import layers_in


class Gan(keras.Model):
    """Two networks that ``fit`` trains against each other.

    Args:
        generator: Turns noise, one vector per row, into images.
        discriminator: Gives one number per image, not squashed: real if high.
    """

    def __init__(self, generator, discriminator, **kwargs):
        super().__init__(**kwargs)
        self.generator = generator
        self.discriminator = discriminator
        self.generator_loss = keras.metrics.Mean(name="generator_loss")
        self.discriminator_loss = keras.metrics.Mean(name="discriminator_loss")
        self.loss_of = keras.losses.BinaryCrossentropy(from_logits=True)

    def compile(self, generator_optimizer, discriminator_optimizer, **kwargs):
        super().compile(optimizer=None, **kwargs)
        first, second = generator_optimizer, discriminator_optimizer
        self.generator_optimizer = self.prepared(first, self.generator)
        self.discriminator_optimizer = self.prepared(second, self.discriminator)

    def prepared(self, optimizer, network):
        optimizer = keras.optimizers.get(optimizer)
        if getattr(optimizer, "inner_optimizer", optimizer).use_ema:
            raise ValueError("use_ema: fit would not put the averages in")
        layers = layers_in(self, {}).values()
        if any(layer.compute_dtype == "float16" for layer in layers):
            if not hasattr(optimizer, "inner_optimizer"):  # once, not twice
                optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        optimizer.build(network.trainable_variables)
        return optimizer

    def generate(self, rows):
        noise = keras.random.normal((rows, self.generator.input_shape[-1]))
        return self.generator(noise, training=True)

    def train_step(self, data):
        real, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        rows = tf.shape(real)[0]

        optimizer, network = self.discriminator_optimizer, self.discriminator
        with tf.GradientTape() as tape:
            on_real = network(real, training=True)
            on_fake = network(self.generate(rows), training=True)
            loss = self.loss_of(tf.ones_like(on_real), on_real)
            loss += self.loss_of(tf.zeros_like(on_fake), on_fake)
            for extra in network.losses:  # of its regularizers
                loss += tf.cast(tf.reduce_sum(extra), loss.dtype)
            scaled = optimizer.scale_loss(loss)
        arrays = network.trainable_variables
        optimizer.apply(tape.gradient(scaled, arrays), arrays)
        self.discriminator_loss.update_state(loss, sample_weight=rows)

        optimizer, network = self.generator_optimizer, self.generator
        with tf.GradientTape() as tape:
            on_fake = self.discriminator(self.generate(rows), training=True)
            loss = self.loss_of(tf.ones_like(on_fake), on_fake)
            for extra in network.losses:
                loss += tf.cast(tf.reduce_sum(extra), loss.dtype)
            scaled = optimizer.scale_loss(loss)
        arrays = network.trainable_variables
        optimizer.apply(tape.gradient(scaled, arrays), arrays)
        self.generator_loss.update_state(loss, sample_weight=rows)

        return {
            "generator_loss": self.generator_loss.result(),
            "discriminator_loss": self.discriminator_loss.result(),
        }


# --8<-- [end:gan]

# --8<-- [start:setup]
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

images = load_digits().images[..., None].astype("float32") / 8 - 1  # 8 x 8


def make_generator():
    parts = [
        layers.Dense(4 * 4 * 24, use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.Reshape((4, 4, 24)),
        layers.Conv2DTranspose(16, 4, 2, "same", use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.Conv2D(1, 3, padding="same", activation="tanh"),
    ]
    return keras.Sequential([keras.Input(shape=(16,)), *parts])


def make_discriminator():
    parts = [
        layers.Conv2D(16, 4, 2, "same"),
        layers.LeakyReLU(0.2),
        layers.Conv2D(24, 4, 2, "same", use_bias=False),
        layers.BatchNormalization(),
        layers.LeakyReLU(0.2),
        layers.Flatten(),
        layers.Dense(1),
    ]
    return keras.Sequential([keras.Input(shape=(8, 8, 1)), *parts])


def distance(one, other):
    """Return the Frechet distance of two sets of images, pixel by pixel."""
    one, other = one.reshape(len(one), -1), other.reshape(len(other), -1)
    first, second = np.cov(one.T), np.cov(other.T)
    shared = np.linalg.eigvals(first @ second).real.clip(0)
    shift = np.sum((one.mean(0) - other.mean(0)) ** 2)
    return shift + np.trace(first + second) - 2 * np.sum(np.sqrt(shared))


# --8<-- [end:setup]

# --8<-- [start:train]
keras.utils.set_random_seed(0)
gan = Gan(make_generator(), make_discriminator())
adam = keras.optimizers.Adam
gan.compile(adam(3e-3, beta_1=0.5), adam(3e-3, beta_1=0.5))
history = gan.fit(images, batch_size=64, epochs=4, verbose=0).history
# --8<-- [end:train]

# --8<-- [start:estimate]
from bn_tools import estimate_again, write_record

noise = keras.random.normal((1792, 16)).numpy()
estimate_again(gan.generator, np.split(noise, 28))
# --8<-- [end:estimate]

# --8<-- [start:judge]
made = gan.generator(noise, training=False).numpy()
uniform = np.random.uniform(-1, 1, images.shape)
print("digits and digits:  below 1:", distance(images[::2], images[1::2]) < 1)
print("digits and noise:   above 30:", distance(images, uniform) > 30)
print("digits and the GAN: below 6:", distance(images, made) < 6)
for name, losses in history.items():
    print(name, "between 0.5 and 2:", 0.5 < losses[-1] < 2)
# --8<-- [end:judge]

# --8<-- [start:save]
gan.generator.save("generator.keras")
write_record("generator.npz", gan.generator, noise[:32])
# --8<-- [end:save]

# --8<-- [start:reload]
import keras
from bn_tools import compare

generator = keras.saving.load_model("generator.keras")
print("loaded:   ", compare("generator.npz", generator))
untrained = keras.models.clone_model(generator)
print("untrained:", len(compare("generator.npz", untrained)) > 0)
# --8<-- [end:reload]


# --8<-- [start:resume]
def checkpoint_of(gan):
    parts = {"arrays": gan.variables}
    for network, optimizer in {
        "generator": gan.generator_optimizer,
        "discriminator": gan.discriminator_optimizer,
    }.items():
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        # Another kind's arrays may fit as well, so the name has the kind.
        parts[f"{network}_{type(inner).__name__}"] = optimizer
    return tf.train.Checkpoint(**parts)


def all_of(gan):
    optimizers = gan.generator_optimizer, gan.discriminator_optimizer
    return gan.variables + [v for each in optimizers for v in each.variables]


checkpoint = checkpoint_of(gan)  # keep it: the next save is gan-2
path = checkpoint.save("checkpoints/gan")
for kind in [keras.optimizers.Adam, keras.optimizers.Adamax]:
    resumed = Gan(make_generator(), make_discriminator())
    resumed.compile(kind(3e-3, 0.5), kind(3e-3, 0.5))
    before = all(map(np.array_equal, all_of(gan), all_of(resumed)))
    try:
        checkpoint_of(resumed).restore(path).assert_consumed()
    except AssertionError:
        print(f"{kind.__name__}: refused")
        continue
    after = all(map(np.array_equal, all_of(gan), all_of(resumed)))
    print(f"{kind.__name__}: all equal before: {before}, after: {after}")
    print("at step", resumed.generator_optimizer.iterations.numpy())
# --8<-- [end:resume]
