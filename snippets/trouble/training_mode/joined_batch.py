# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits

images = load_digits().images[..., None].astype("float32") / 8 - 1  # 8 x 8
loss_of = keras.losses.BinaryCrossentropy(from_logits=True)


def networks():
    generator = [
        layers.Dense(4 * 4 * 24, use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.Reshape((4, 4, 24)),
        layers.Conv2DTranspose(16, 4, 2, "same", use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.Conv2D(1, 3, padding="same", activation="tanh"),
    ]
    critic = [
        layers.Conv2D(16, 4, 2, "same"),
        layers.LeakyReLU(0.2),
        layers.Conv2D(24, 4, 2, "same", use_bias=False),
        layers.BatchNormalization(),
        layers.LeakyReLU(0.2),
        layers.Flatten(),
        layers.Dense(1),
    ]
    return (
        keras.Sequential([keras.Input(shape=(16,)), *generator]),
        keras.Sequential([keras.Input(shape=(8, 8, 1)), *critic]),
    )


def step_of(judge, generator, critic):
    adams = [keras.optimizers.Adam(3e-3, beta_1=0.5) for _ in range(2)]
    adams[0].build(critic.trainable_variables)
    adams[1].build(generator.trainable_variables)

    @tf.function
    def step(real):
        arrays = critic.trainable_variables, generator.trainable_variables
        noise = keras.random.normal((64, 16))
        with tf.GradientTape() as tape:
            fake = generator(noise, training=True)
            on_real, on_fake = judge(critic, real, fake)
            first = loss_of(tf.ones_like(on_real), on_real)
            first += loss_of(tf.zeros_like(on_fake), on_fake)
        adams[0].apply(tape.gradient(first, arrays[0]), arrays[0])
        with tf.GradientTape() as tape:
            on_fake = critic(generator(noise, training=True), training=True)
            second = loss_of(tf.ones_like(on_fake), on_fake)
        adams[1].apply(tape.gradient(second, arrays[1]), arrays[1])
        return first, second

    return step


def distance(one, other):
    """Return the Frechet distance of two sets of images, pixel by pixel."""
    one, other = one.reshape(len(one), -1), other.reshape(len(other), -1)
    first, second = np.cov(one.T), np.cov(other.T)
    shared = np.linalg.eigvals(first @ second).real.clip(0)
    shift = np.sum((one.mean(0) - other.mean(0)) ** 2)
    return shift + np.trace(first + second) - 2 * np.sum(np.sqrt(shared))


def train(judge):
    keras.utils.set_random_seed(0)
    generator, critic = networks()
    step = step_of(judge, generator, critic)
    for _ in range(4):
        order = np.random.permutation(len(images))
        losses = [step(images[order[i : i + 64]]) for i in range(0, 1728, 64)]
    noise = keras.random.normal((1792, 16))
    found = distance(generator(noise, training=False).numpy(), images)
    print(f"distance above 9: {found > 9}")
    for name, loss in zip(["critic", "generator"], np.mean(losses, axis=0)):
        print(f"loss of the {name:9} below 0.7: {loss < 0.7}")
    return critic


# --8<-- [end:setup]


# --8<-- [start:see]
def joined(critic, real, fake):
    both = tf.concat([real, fake], axis=0)
    return tf.split(critic(both, training=True), 2)


critic = train(joined)
# --8<-- [end:see]


# --8<-- [start:fix]
def separate(critic, real, fake):
    return critic(real, training=True), critic(fake, training=True)


train(separate)
# --8<-- [end:fix]

# --8<-- [start:sure]
fake = np.random.uniform(-1, 1, (64, 8, 8, 1))
alone = critic(fake, training=True)
for judge in [joined, separate]:
    _, on_fake = judge(critic, images[:64], fake)
    same = np.allclose(on_fake, alone, atol=1e-4)
    print(f"{judge.__name__:8} judges generated images as alone: {same}")
# --8<-- [end:sure]
