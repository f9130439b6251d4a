# --8<-- [start:step]
import keras
import numpy as np
import tensorflow as tf
from bn_tools import batch_norms, layers_in


def make_train_step(model, optimizer, loss_of):
    """Return a function that trains on one batch and returns its loss.

    Args:
        model: A model that has been called once.
        optimizer: Its optimizer; under mixed_float16 a LossScaleOptimizer.
        loss_of: A loss object of Keras, or a function of targets, outputs and
            weights that returns one number.
    """
    layers = layers_in(model, {}).values()
    if any(layer.compute_dtype == "float16" for layer in layers):
        if not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            raise ValueError("float16: wrap it in a LossScaleOptimizer")
    if not optimizer.built:
        optimizer.build(model.trainable_variables)

    @tf.function
    def train_step(x, y, weight=None):
        if tf.distribute.get_strategy().num_replicas_in_sync > 1:
            raise NotImplementedError("one device only: loss is a share here")
        with tf.GradientTape() as tape:
            outputs = model(x, training=True)
            loss = loss_of(y, outputs, weight)
            if loss.shape.rank != 0:
                raise ValueError("loss_of has to return one number per batch")
            for extra in model.losses:  # add_loss takes a number per row, too
                loss += tf.cast(tf.reduce_sum(extra), loss.dtype)
            scaled = optimizer.scale_loss(loss)
        arrays = model.trainable_variables
        optimizer.apply(tape.gradient(scaled, arrays), arrays)
        return loss

    return train_step


# --8<-- [end:step]


# --8<-- [start:check]
def moving(model):
    """Return the statistics of each layer that is not frozen."""
    return {
        layer: np.stack([layer.moving_mean, layer.moving_variance])
        for layer in batch_norms(model)
        if layer.trainable
    }


def check_moved(before, model):
    """Raise if a layer has the statistics that ``moving`` returned before."""
    still = [
        layer.moving_mean.path.rpartition("/")[0]
        for layer, arrays in moving(model).items()
        if layer in before and np.array_equal(arrays, before[layer])
    ]
    if still:
        raise RuntimeError(f"statistics did not move: {still}")


# --8<-- [end:check]


# --8<-- [start:model]
class Net(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.blocks = [
            [
                keras.layers.Dense(units, "relu", kernel_regularizer="l2"),
                keras.layers.BatchNormalization(name=f"bn_{units}"),
            ]
            for units in [16, 8]
        ]
        self.head = keras.layers.Dense(3, activation="softmax")

    def call(self, x, training=False):
        for dense, bn in self.blocks:
            x = bn(dense(x), training=training)
        return self.head(x)


def make_model():
    model = Net(name="net")
    model(np.zeros((1, 6)))
    return model


# --8<-- [end:model]

# --8<-- [start:data]
keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(1030, 6)).astype("float32")
y = np.argmax(x[:, :3], axis=1)
weight = np.random.uniform(size=1030).astype("float32")
batches = tf.data.Dataset.from_tensor_slices((x, y, weight)).batch(50)
# --8<-- [end:data]

# --8<-- [start:loop]
model = make_model()
start = model.get_weights()
model.compile(keras.optimizers.SGD(0.1))
loss_of = keras.losses.SparseCategoricalCrossentropy()
train_step = make_train_step(model, model.optimizer, loss_of)

mean = keras.metrics.Mean()
losses = []
before = moving(model)
for epoch in range(5):
    mean.reset_state()
    for x_batch, y_batch, weights in batches:
        loss = train_step(x_batch, y_batch, weights)
        mean.update_state(loss, sample_weight=len(x_batch))
    if epoch == 0:
        check_moved(before, model)
    losses.append(float(mean.result()))

print("steps:", int(model.optimizer.iterations.numpy()))
# --8<-- [end:loop]

# --8<-- [start:as_fit]
fitted = make_model()
fitted.set_weights(start)
fitted.compile(keras.optimizers.SGD(0.1), loss_of)
history = fitted.fit(batches, epochs=5, verbose=0, shuffle=False).history
same = np.allclose(history["loss"], losses, atol=1e-3)
print("losses as those of fit:", same)
pairs = zip(fitted.get_weights(), model.get_weights(), strict=True)
same = all(np.allclose(*pair, atol=0.01) for pair in pairs)
print("arrays as those of fit:", same)
# --8<-- [end:as_fit]


# --8<-- [start:validate]
@tf.function
def outputs_of(model, x, training):
    return model(x, training=training)


before = model.get_weights()
hits = []
for x_batch, y_batch, _ in batches:  # in your project: validation data
    outputs = outputs_of(model, x_batch, training=False)
    hits.append(np.argmax(outputs, axis=1) == np.ravel(y_batch))

print("accuracy is more than 0.5:", np.mean(np.concatenate(hits)) > 0.5)
for old, new in zip(before, model.get_weights(), strict=True):
    np.testing.assert_array_equal(old, new)
print("no array has changed")
# --8<-- [end:validate]
