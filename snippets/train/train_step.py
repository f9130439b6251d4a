# --8<-- [start:model]
import keras
import numpy as np
import tensorflow as tf


class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.bn = keras.layers.BatchNormalization()
        self.dense = keras.layers.Dense(16, activation="relu")
        self.out = keras.layers.Dense(3, activation="softmax", dtype="float32")

    def call(self, x, training=False):
        x = self.bn(x, training=training)
        return self.out(self.dense(x))


# --8<-- [end:model]


# --8<-- [start:own_loss]
class OwnLoss(Net):
    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        if training:  # not in validation: penalize predictions near 0 and 1
            loss += 0.3 * keras.ops.mean(keras.ops.square(y_pred))
        return loss


# --8<-- [end:own_loss]


# --8<-- [start:own_step]
class OwnStep:
    """A train_step and a test_step that do what those of Keras do.

    Name it before the model class: class MyNet(OwnStep, keras.Model).
    """

    def train_step(self, data):
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            outputs = self(x, training=True)
            loss = self.compute_loss(x, y, outputs, weight, training=True)
            scaled = self.optimizer.scale_loss(loss)
        arrays = self.trainable_variables
        gradients = tape.gradient(scaled, arrays)
        self.optimizer.apply(gradients, arrays)
        return self.report(x, y, outputs, weight, loss)

    def test_step(self, data):
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        outputs = self(x, training=False)
        loss = self.compute_loss(x, y, outputs, weight, training=False)
        return self.report(x, y, outputs, weight, loss)

    def report(self, x, y, outputs, weight, loss):
        if tf.distribute.get_strategy().num_replicas_in_sync > 1:
            raise NotImplementedError("one device only: loss is a share here")
        rows = tf.shape(tf.nest.flatten(x)[0])[0]
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss, sample_weight=rows)
        return self.compute_metrics(x, y, outputs, weight)


# --8<-- [end:own_step]

# --8<-- [start:data]
keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(52, 4)).astype("float32")
y = np.argmax(x[:, :3], axis=1)
weights = np.random.uniform(size=52)
# --8<-- [end:data]

# --8<-- [start:added]
net = OwnLoss()
net.compile(loss="sparse_categorical_crossentropy")
outputs = net(x)
training, validation = (
    net.compute_loss(x, y, outputs, None, training=training)
    for training in [True, False]
)
added = np.isclose(training - validation, 0.3 * np.mean(outputs**2))
keras_loss = keras.losses.SparseCategoricalCrossentropy()(y, outputs)
print("added in training:", added)
print("validation has the loss of compile:", np.isclose(validation, keras_loss))
# --8<-- [end:added]


# --8<-- [start:same]
class OwnBoth(OwnStep, OwnLoss):
    pass


def results(kind):
    keras.utils.set_random_seed(1)
    net = kind()
    net.compile(
        keras.optimizers.SGD(0.1),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        weighted_metrics=["accuracy"],
        run_eagerly=True,
    )
    rows = tf.data.Dataset.from_tensor_slices((x, y, weights))
    rows = rows.batch(48)  # the last has 4
    run = net.fit(rows, epochs=2, verbose=0, validation_data=rows)
    return run.history, net.get_weights()


for policy in ["float32", "mixed_float16"]:
    keras.config.set_dtype_policy(policy)
    history, arrays = results(OwnLoss)
    own_history, own_arrays = results(OwnBoth)
    same = [np.allclose(history[k], own_history[k], atol=1e-4) for k in history]
    pairs = zip(arrays, own_arrays, strict=True)
    same += [np.allclose(*pair, atol=1e-3) for pair in pairs]
    print(f"{policy}: {sum(same)} of {len(same)} equal")
print(f"compared: {len(arrays)} arrays and", *history, sep="\n  ")
keras.config.set_dtype_policy("float32")
# --8<-- [end:same]
