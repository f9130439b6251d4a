# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(100, 4)).astype("float32")
y = np.argmax(x[:, :3], axis=1)


class Base(keras.Model):
    def __init__(self):
        super().__init__()
        self.bn = keras.layers.BatchNormalization()
        self.out = keras.layers.Dense(3, activation="softmax")


def fit(model):
    loss = "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.SGD(0.1), loss, run_eagerly=True)
    model.fit(x, y, batch_size=50, verbose=0)


# --8<-- [end:setup]

# --8<-- [start:see]
import warnings


class WithoutTraining(Base):
    def call(self, x):
        return self.out(self.bn(x))


def report(model):
    with warnings.catch_warnings(record=True, action="always") as caught:
        fit(model)
    learned = np.any(model.bn.gamma != 1) and np.any(model.bn.beta != 0)
    moved = np.any(model.bn.moving_mean != 0)
    moved = moved and np.any(model.bn.moving_variance != 1)
    print("gamma and beta:     ", "learned" if learned else "1 and 0")
    print("mean and variance:  ", "moved" if moved else "0 and 1")
    print("warnings:           ", len(caught))


report(WithoutTraining())
# --8<-- [end:see]


# --8<-- [start:fix]
class WithTraining(Base):
    def call(self, x, training=False):
        return self.out(self.bn(x, training=training))


report(WithTraining())
# --8<-- [end:fix]


# --8<-- [start:sure]
class Keywords(Base):
    def call(self, x, **kwargs):
        return self.out(self.bn(x, **kwargs))


class NotPassedOn(Base):
    def call(self, x, training=False):
        return self.out(self.bn(x))


class Block(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.bn = keras.layers.BatchNormalization()

    def build(self, input_shape):
        self.bn.build(input_shape)

    def call(self, x):
        return self.bn(x)


class ForgetfulStep(WithTraining):
    arguments = {}

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            outputs = self(x, **self.arguments)
            loss = self.compute_loss(x, y, outputs)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return self.compute_metrics(x, y, outputs)


class Step(ForgetfulStep):
    arguments = {"training": True}


def row(what, model, layer):
    fit(model)
    moved = np.any(layer.moving_mean != 0)
    print(f"{what:38} {'yes' if moved else 'no'}")


print(f"{'what fit trains':38} statistics move")
for what, kind in {
    "call(self, x, **kwargs)": Keywords,
    "training taken and not passed on": NotPassedOn,
    "train_step: self(x)": ForgetfulStep,
    "train_step: self(x, training=True)": Step,
}.items():
    model = kind()
    row(what, model, model.bn)
block = Block()
inputs = keras.Input(shape=(4,))
head = keras.layers.Dense(3, activation="softmax")
functional = keras.Model(inputs, head(block(inputs)))
row("Layer: call(self, x), functional model", functional, block.bn)
# --8<-- [end:sure]
